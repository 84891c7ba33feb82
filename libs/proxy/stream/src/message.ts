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
}

export interface ResponseHead {
  status: number;
  headers: HeaderMap;
  /** Why the proxy answers itself; undefined for a host's response. */
  readonly local?: LocalCause;
}

export interface LocalCause {
  /** One of Envoy's response flags. */
  readonly flag: string | undefined;
  /** The response code details. */
  readonly details: string;
}
