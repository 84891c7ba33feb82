import type { ConnectClient, LoadClient } from "./load-client.ts";

export interface LoadResult {
  readonly seconds: number;
  /** Sorted, in microseconds. */
  readonly latenciesUs: Float64Array;
}

/** Each connection sends its next request when an answer comes. Rejects on anything but the expected answer. */
export async function closedLoop(
  connectClient: ConnectClient,
  connections: number,
  requests: number,
): Promise<LoadResult> {
  const latenciesUs = new Float64Array(requests);
  const clients: LoadClient[] = [];
  try {
    let started = 0;
    await new Promise<void>((resolve, reject) => {
      let [sent, received] = [0, 0];
      const onAnswer = (client: LoadClient, startedMs: number): void => {
        const now = performance.now();
        latenciesUs[received] = (now - startedMs) * 1000;
        received += 1;
        if (sent < requests) {
          sent += 1;
          client.send(now);
        } else if (received === requests) resolve();
      };
      const events = { onAnswer, onError: reject };
      const connecting = Array.from({ length: connections }, async () => clients.push(await connectClient(events)));
      Promise.all(connecting).then(() => {
        started = performance.now();
        for (const client of clients)
          for (let i = 0; i < client.capacity && sent < requests; i += 1) {
            sent += 1;
            client.send(performance.now());
          }
      }, reject);
    });
    return { seconds: (performance.now() - started) / 1000, latenciesUs: latenciesUs.sort() };
  } finally {
    for (const client of clients) client.close();
  }
}
