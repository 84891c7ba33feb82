import type { Socket } from "node:net";
import { listenToBytes } from "../direct-input.ts";
import { SocketWriter } from "../socket-writer.ts";

/**
 * Passes on what a socket receives, and its end, to another. A socket that takes less than comes has the other one wait.
 *
 * @param onBytes is told how many, as they come
 * @param highWatermarkBytes how much may wait for who takes less than comes
 */
export function pipeBytes(
  from: Socket,
  to: Socket,
  onBytes: (bytes: number) => void,
  highWatermarkBytes?: number,
): void {
  const events = { onWriteBlocked: () => from.pause(), onWritable: () => from.resume() };
  const writer = new SocketWriter(to, events, highWatermarkBytes);
  let passedBytes = 0;
  from.resume();
  listenToBytes(
    from,
    (chunk) => {
      passedBytes = chunk.length;
      onBytes(chunk.length);
      writer.write(chunk, true);
    },
    () => passedBytes,
  );
  from.on("end", () => {
    writer.flush();
    to.end();
  });
}
