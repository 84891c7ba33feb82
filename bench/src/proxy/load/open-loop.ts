import type { ConnectClient, LoadClient } from "./load-client.ts";

/**
 * Requests at a fixed rate, whatever the answers do: how long one takes counts from when it should have been sent.
 *
 * @returns sorted, in microseconds
 */
export async function openLoop(
  connectClient: ConnectClient,
  connections: number,
  rate: number,
  seconds: number,
): Promise<Float64Array> {
  const requests = Math.floor(rate * seconds);
  const latenciesUs = new Float64Array(requests);
  const clients: LoadClient[] = [];
  const idle: LoadClient[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const waiting: number[] = [];
      let [due, received, taken] = [0, 0, 0];
      const onAnswer = (client: LoadClient, startedMs: number): void => {
        latenciesUs[received] = (performance.now() - startedMs) * 1000;
        received += 1;
        if (received === requests) resolve();
        else if (taken < waiting.length) client.send(waiting[taken++]!);
        else idle.push(client);
      };
      const events = { onAnswer, onError: reject };
      const connecting = Array.from({ length: connections }, async () => clients.push(await connectClient(events)));
      Promise.all(connecting).then(() => {
        idle.push(...clients);
        const started = performance.now();
        // A timer would come late by up to a millisecond, which is what is measured: so this looks all the time.
        const look = (): void => {
          for (; due < requests && performance.now() - started >= (due / rate) * 1000; due += 1) {
            const dueMs = started + (due / rate) * 1000;
            const client = idle.pop();
            if (client === undefined) waiting.push(dueMs);
            else client.send(dueMs);
          }
          if (due < requests) setImmediate(look);
        };
        look();
      }, reject);
    });
    return latenciesUs.sort();
  } finally {
    for (const client of clients) client.close();
  }
}
