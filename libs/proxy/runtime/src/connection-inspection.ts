import type { Socket } from "node:net";
import { readClientHello } from "./client-hello.ts";

/** What the first bytes of a connection say. */
export interface Inspected {
  readonly tls: boolean;
  /** "" for none. */
  readonly serverName: string;
  readonly alpn: readonly string[];
}

/**
 * Waits for the first bytes of a connection and puts them back, so that whoever serves it reads them again.
 *
 * @param onKnown called once; not when the client goes, is silent for too long or speaks no TLS that can be read: it is closed then
 */
export function inspectConnection(socket: Socket, timeoutMs: number, onKnown: (inspected: Inspected) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const leave = (): void => {
    clearTimeout(timer);
    socket.off("data", onBytes);
    socket.off("error", onGone);
    socket.off("end", onGone);
    socket.off("close", onGone);
  };
  const onGone = (): void => {
    leave();
    socket.on("error", () => undefined);
    socket.destroy();
  };
  const onBytes = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const hello = readClientHello(bytes);
    if (hello === "more") return;
    if (hello === "invalid") {
      onGone();
      return;
    }
    leave();
    socket.pause();
    socket.unshift(bytes);
    onKnown(hello === "plain" ? { tls: false, serverName: "", alpn: [] } : { tls: true, ...hello });
  };
  const timer = setTimeout(onGone, timeoutMs);
  socket.on("data", onBytes);
  socket.on("error", onGone);
  socket.on("end", onGone);
  socket.on("close", onGone);
}
