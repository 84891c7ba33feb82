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
