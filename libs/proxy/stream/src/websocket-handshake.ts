import { createHash, randomBytes } from "node:crypto";
import type { HeaderMap } from "./header-map.ts";
import type { RequestHead } from "./message.ts";

/** RFC 8441 §5: HTTP/2 does without the key that HTTP/1.1 (RFC 6455 §4.1) asks for. */
export function addWebSocketKey({ headers }: RequestHead, upgrade: string): void {
  if (upgrade === "websocket" && !headers.has("sec-websocket-key"))
    headers.add("sec-websocket-key", randomBytes(16).toString("base64"));
}

/** RFC 6455 §4.2.2: what a client of HTTP/1.1 waits for, from a host that was asked over HTTP/2. */
export function addWebSocketAccept(headers: HeaderMap, key: string | undefined): void {
  if (key === undefined || headers.has("sec-websocket-accept")) return;
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  headers.add("sec-websocket-accept", accept);
}
