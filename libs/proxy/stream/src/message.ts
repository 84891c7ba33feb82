import type { HeaderMap } from "./header-map.ts";

/**
 * The head of a request of any protocol. An RPC call is one too: authority = service, path = /service/method.
 * One stream owns it; filters change it in place.
 */
export interface RequestHead {
  method: string;
  /** With query. */
  path: string;
  authority: string;
  scheme: "http" | "https";
  headers: HeaderMap;
  /**
   * What the client wants the stream to become, in lower case (`websocket`); `connect` for CONNECT, whose path is "". Such a request does
   * not end with its head where that is allowed, and the response that agrees has the status 101, for CONNECT 200, in all protocols.
   * @default undefined
   */
  upgrade?: string | undefined;
  /** How long the client waits, in milliseconds, where the protocol says so in each request. May have to be searched for. */
  readonly clientTimeoutMs?: number | undefined;
  /** Another head of the same request, for a copy of it. @default its fields, and its headers cloned */
  copy?(): RequestHead;
}

/** A head that can be changed without changing the other. */
export function copyOfHead(head: RequestHead): RequestHead {
  return head.copy?.() ?? { ...head, headers: head.headers.clone() };
}

export interface ResponseHead {
  status: number;
  headers: HeaderMap;
  /** The host says that it has not begun with the request: as HTTP/2's REFUSED_STREAM. @default false */
  readonly refused?: boolean;
  /** Why the proxy answers itself; undefined for a host's response. */
  readonly local?: LocalCause;
}

export interface LocalCause {
  /** One of Envoy's response flags. */
  readonly flag: string | undefined;
  /** The response code details. */
  readonly details: string;
}
