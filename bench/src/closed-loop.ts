import { connect } from "node:net";

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Sorted, in microseconds. */
  readonly latenciesUs: Float64Array;
}

const request = Buffer.from(
  "GET /items?id=1 HTTP/1.1\r\nhost: bench.Service\r\nuser-agent: bench\r\naccept: */*\r\n\r\n",
);

/** Each connection sends its next request when the answer to the last is complete. @throws Error on anything but 200 */
export async function closedLoop(port: number, connections: number, requests: number): Promise<LoadResult> {
  const latenciesUs = new Float64Array(requests);
  let sent = 0;
  let received = 0;
  const started = performance.now();
  const one = async () =>
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      let sentAt = 0;
      let answer: Buffer = Buffer.alloc(0);
      const next = () => {
        if (sent >= requests) return (void socket.destroy(), resolve());
        sent += 1;
        sentAt = performance.now();
        socket.write(request);
      };
      socket.on("connect", next);
      socket.on("error", reject);
      socket.on("data", (chunk: Buffer) => {
        answer = answer.length === 0 ? chunk : Buffer.concat([answer, chunk]);
        const headEnd = answer.indexOf("\r\n\r\n");
        if (headEnd === -1) return;
        const head = answer.toString("latin1", 0, headEnd).toLowerCase();
        const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? Number.NaN);
        if (!head.startsWith("http/1.1 200") || Number.isNaN(length)) {
          reject(new Error(`port ${port} answered ${head}`));
          return;
        }
        if (answer.length < headEnd + 4 + length) return;
        answer = answer.subarray(headEnd + 4 + length);
        latenciesUs[received++] = (performance.now() - sentAt) * 1000;
        next();
      });
    });
  await Promise.all(Array.from({ length: connections }, one));
  return { requests, seconds: (performance.now() - started) / 1000, latenciesUs: latenciesUs.sort() };
}
