import type { Socket } from "node:net";
import { ByteChain } from "@fairlead/buffer";
import type { ConnectionFacts, ListenerFilter } from "@fairlead/proxy-filter";

export interface InspectionOptions {
  readonly filters: readonly ListenerFilter[];
  /** How long a client may take to send what they want to see; 0 = any time. */
  readonly timeoutMs: number;
  /** After that it is served as far as it is known. */
  readonly continuesOnTimeout: boolean;
  readonly count: (stat: string) => void;
  /** The connection is closed: the client went, was silent for too long, or was refused. */
  readonly onClosed: (reason: "gone" | "timeout" | "refused") => void;
}

/**
 * Has a listener's filters look at a new connection, one after the other. What none of them consumed is put back, so that whoever
 * serves it reads it again.
 *
 * @param onKnown called once, perhaps at once, unless the connection is closed before; the socket is paused when bytes were read
 */
export function inspectConnection(
  socket: Socket,
  facts: ConnectionFacts,
  options: InspectionOptions,
  onKnown: () => void,
): void {
  const { filters, timeoutMs, continuesOnTimeout, count, onClosed } = options;
  const bytes = new ByteChain();
  let next = 0;
  let timer: NodeJS.Timeout | undefined;
  let reading = false;
  let gathers = false;
  const leave = (): void => {
    clearTimeout(timer);
    socket.off("data", onBytes);
    socket.off("error", onGone);
    socket.off("end", onGone);
    socket.off("close", onGone);
  };
  const close = (reason: "gone" | "timeout" | "refused"): void => {
    leave();
    socket.on("error", () => undefined);
    socket.destroy();
    onClosed(reason);
  };
  const onGone = (): void => close("gone");
  const goOn = (): void => {
    if (reading) {
      leave();
      socket.pause();
      if (bytes.length > 0) socket.unshift(bytes.take());
    }
    onKnown();
  };
  const look = (): void => {
    for (; next < filters.length; next++) {
      const filter = filters[next];
      if (filter === undefined || (filter.maxBytes > 0 && bytes.length === 0)) break;
      const found = filter.look(bytes.peek(), facts, count);
      if (found === "more" && bytes.length < filter.maxBytes) break;
      if (found === "more" || found === "close") {
        close("refused");
        return;
      }
      bytes.drain(found);
    }
    if (next === filters.length) goOn();
    else if (!reading) read();
  };
  /** Most clients say in one piece what is looked at. From the second on all that filters want is to lie in one. */
  const gather = (): void => {
    gathers = true;
    const first = bytes.take();
    bytes.reserve(filters.reduce((most, { maxBytes }) => Math.max(most, maxBytes), first.length));
    bytes.append(first);
  };
  const onBytes = (chunk: Buffer): void => {
    if (bytes.length === 0) bytes.addReference(chunk);
    else {
      if (!gathers) gather();
      bytes.append(chunk);
    }
    look();
  };
  const read = (): void => {
    reading = true;
    if (timeoutMs > 0) timer = setTimeout(() => (continuesOnTimeout ? goOn() : close("timeout")), timeoutMs);
    socket.on("data", onBytes);
    socket.on("error", onGone);
    socket.on("end", onGone);
    socket.on("close", onGone);
  };
  look();
}
