import { Beat } from "./beat.ts";
import type { ConnectClient, LoadClient } from "./load-client.ts";

const beatMs = 1;
/** What was idle has lost caches and pages, and gets them back with the first requests. These are not counted. */
const leadInSeconds = 0.5;

/**
 * Requests at a fixed rate, whatever the answers do: how long one takes counts from when it should have been sent. Those of one
 * millisecond are sent together.
 *
 * @param seconds those that are counted; there is a lead-in before them
 * @returns sorted, in microseconds
 */
export async function openLoop(
  connectClient: ConnectClient,
  connections: number,
  rate: number,
  seconds: number,
): Promise<Float64Array> {
  const leadIn = Math.floor(rate * leadInSeconds);
  const requests = leadIn + Math.floor(rate * seconds);
  const latenciesUs = new Float64Array(requests);
  const clients: LoadClient[] = [];
  const { promise: answered, resolve, reject } = Promise.withResolvers<void>();
  const idle: LoadClient[] = [];
  const waiting: number[] = [];
  let [due, received, taken] = [0, 0, 0];
  const onAnswer = (client: LoadClient, startedMs: number): void => {
    latenciesUs[received] = (performance.now() - startedMs) * 1000;
    received += 1;
    if (received === requests) resolve();
    else if (taken < waiting.length) client.send(waiting[taken++]!);
    else idle.push(client);
  };
  try {
    const events = { onAnswer, onError: reject };
    await Promise.all(Array.from({ length: connections }, async () => clients.push(await connectClient(events))));
    idle.push(...clients);
    let [started, beats] = [0, 0];
    await using _ = await Beat.start(beatMs, () => {
      if (beats === 0) started = performance.now();
      // A beat that comes late is late for the client as well: its requests were due when it should have come.
      const dueMs = started + beats * beatMs;
      beats += 1;
      for (const end = Math.min(requests, (rate * beats * beatMs) / 1000); due < end; due += 1) {
        const client = idle.pop();
        if (client === undefined) waiting.push(dueMs);
        else client.send(dueMs);
      }
    });
    await answered;
    return latenciesUs.subarray(leadIn).sort();
  } finally {
    for (const client of clients) client.close();
  }
}
