import type { RpcCall, RpcFrame, RpcOutcome, RpcProtocol } from "@fairlead/codec-rpc";
import { HeaderMap } from "../header-map.ts";
import type { RequestHead, ResponseHead } from "../message.ts";
import { RpcHeaders } from "./rpc-headers.ts";

/**
 * A call as a request: method and authority = its method and service, path = /service/method, headers = attachments. Its body is its frame, whole. Authority and path are
 * for routing: the frame keeps the service and method that it names.
 */
export class RpcRequestHead implements RequestHead {
  method: string;
  scheme: "http" | "https" = "http";
  path: string;
  authority: string;
  readonly headers: RpcHeaders;
  readonly protocol: RpcProtocol;
  readonly frame: RpcFrame;
  readonly #call: RpcCall;

  constructor(protocol: RpcProtocol, frame: RpcFrame, call: RpcCall) {
    this.protocol = protocol;
    this.frame = frame;
    this.#call = call;
    this.method = call.method;
    this.authority = call.service;
    this.path = `/${call.service}/${call.method}`;
    this.headers = new RpcHeaders(call, protocol.name);
  }

  /** In Dubbo it stands behind the arguments. */
  get clientTimeoutMs(): number | undefined {
    try {
      return this.#call.timeoutMs;
    } catch {
      // What is behind the arguments cannot be read, and so far nobody has asked for it.
      return undefined;
    }
  }

  /** Of the same frame, with what routes and filters have added so far. */
  copy(): RpcRequestHead {
    const copy = new RpcRequestHead(this.protocol, this.frame, this.#call);
    copy.method = this.method;
    copy.path = this.path;
    copy.authority = this.authority;
    for (const [name, value] of this.headers.changes) copy.headers.set(name, value);
    return copy;
  }
}

/** The head of a response that a host gave; its body is the frame. */
export class RpcResponseHead implements ResponseHead {
  status: number;
  readonly headers: HeaderMap;
  readonly refused: boolean;

  constructor({ httpStatus, threw, status }: RpcOutcome, refused = false) {
    this.refused = refused;
    this.status = httpStatus;
    this.headers = new HeaderMap(["x-rpc-status", String(status)]);
    if (threw) this.headers.add("x-rpc-exception", "true");
  }
}
