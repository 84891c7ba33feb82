import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { FrameCollector } from "@fairlead/codec-rpc";
import type { BenchProtocol } from "./frames.ts";

export interface LoopResult {
  readonly seconds: number;
  /** Sorted. */
  readonly latenciesUs: Float64Array;
}

/** Keeps so many calls under way on each connection until all are answered. */
export async function rpcLoop(
  { protocol, request }: BenchProtocol,
  port: number,
  load: { readonly connections: number; readonly outstanding: number; readonly calls: number },
): Promise<LoopResult> {
  const latenciesUs = new Float64Array(load.calls);
  let sent = 0;
  let answered = 0;
  const done = Promise.withResolvers<void>();
  const sockets: Socket[] = [];
  const drive = async (): Promise<() => void> => {
    const socket = connect(port, "127.0.0.1");
    socket.setNoDelay(true);
    await once(socket, "connect");
    sockets.push(socket);
    socket.on("error", done.reject);
    const sentAt = new Map<number, number>();
    let nextId = 1;
    const send = (count: number): void => {
      const frames: Buffer[] = [];
      const now = performance.now();
      for (let i = 0; i < count && sent < load.calls; i += 1) {
        const frame = Buffer.from(request);
        protocol.setId(frame, 0, nextId);
        sentAt.set(nextId, now);
        nextId += 1;
        sent += 1;
        frames.push(frame);
      }
      if (frames.length > 0) socket.write(Buffer.concat(frames));
    };
    const collector = new FrameCollector(protocol);
    socket.on("data", (chunk: Buffer) => {
      let count = 0;
      const now = performance.now();
      collector.execute(chunk, (bytes) => {
        const frame = protocol.frameOf(bytes);
        if (!protocol.outcomeOf(frame).delivered) done.reject(new Error("a call failed"));
        latenciesUs[answered] = (now - sentAt.get(frame.idLow)!) * 1000;
        sentAt.delete(frame.idLow);
        answered += 1;
        count += 1;
      });
      if (answered === load.calls) done.resolve();
      else send(count);
    });
    return () => send(load.outstanding);
  };
  const starts = await Promise.all(Array.from({ length: load.connections }, drive));
  const begin = performance.now();
  for (const start of starts) start();
  await done.promise;
  const seconds = (performance.now() - begin) / 1000;
  for (const socket of sockets) socket.destroy();
  return { seconds, latenciesUs: latenciesUs.toSorted() };
}
