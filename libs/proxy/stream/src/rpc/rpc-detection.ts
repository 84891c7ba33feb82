import type { Socket } from "node:net";
import type { RpcProtocol } from "@fairlead/codec-rpc";

/** What a connection began with, before anybody serves it. */
export interface DetectionOptions {
  readonly timeoutMs: number;
  /** Called once: the first protocol that the bytes fit, undefined when they fit none; these bytes have to be read by whoever serves it. */
  readonly onKnown: (protocol: RpcProtocol | undefined, first: Buffer) => void;
  /** Instead: the connection is closed, as its client ended it, or did not say enough in time. */
  readonly onGone: (silent: boolean) => void;
}

/** Waits for the first bytes of a client's connection. @returns what closes it while it waits */
export function detectRpc(socket: Socket, protocols: readonly RpcProtocol[], options: DetectionOptions): () => void {
  let first: Buffer | undefined;
  const leave = (): void => {
    clearTimeout(timer);
    socket.off("data", onBytes);
    socket.off("end", onEnd);
    socket.off("error", onEnd);
    socket.off("close", onEnd);
  };
  const close = (silent: boolean): void => {
    leave();
    socket.on("error", () => undefined);
    socket.destroy();
    options.onGone(silent);
  };
  const onEnd = (): void => close(false);
  const onBytes = (chunk: Buffer): void => {
    const bytes = first === undefined ? chunk : Buffer.concat([first, chunk]);
    first = bytes;
    let undecided = false;
    for (const protocol of protocols) {
      const matches = protocol.matches(bytes);
      if (matches === true) {
        leave();
        options.onKnown(protocol, bytes);
        return;
      }
      if (matches === undefined) undecided = true;
    }
    if (undecided) return;
    leave();
    options.onKnown(undefined, bytes);
  };
  const timer = setTimeout(() => close(true), options.timeoutMs);
  socket.on("data", onBytes);
  socket.on("end", onEnd);
  socket.on("error", onEnd);
  socket.on("close", onEnd);
  return onEnd;
}
