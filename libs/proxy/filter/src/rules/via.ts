import type { HeaderMap } from "@fairlead/proxy-stream";

/** RFC 9110 §7.6.3: each proxy on the way adds itself. */
export function addVia(headers: HeaderMap, name: string): void {
  const before = headers.getJoined("via");
  headers.set("via", before === undefined ? name : `${before}, ${name}`);
}
