/** What routing asks about a call. Read from the frame when it is asked for: arguments are never decoded. */
export interface RpcCall {
  /** An interface. "" when the body cannot be read: see `readable`. */
  readonly service: string;
  readonly method: string;
  /** "" for none; `0.0.0`, which Dubbo sends for none, is none. */
  readonly version: string;
  /** Dubbo's group, SOFA's unique id; "" for none. */
  readonly group: string;
  /** Milliseconds that the caller waits; undefined when it does not say. */
  readonly timeoutMs: number | undefined;
  /** How the body is written, by the protocol's own name: `hessian2`, `fastjson2`, `protobuf` … */
  readonly serialization: string;
  /** False for serializations that are passed on unread: service and method are unknown, the connection's destination decides. */
  readonly readable: boolean;
  /** One attachment (Dubbo) or header (bolt) by its exact name. */
  attachment(name: string): string | undefined;
  /** All of them that are strings. */
  attachments(): readonly (readonly [name: string, value: string])[];
}
