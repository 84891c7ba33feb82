import type { LoadSummary } from "../up/constant-load.ts";
import type { CallOutcome, OutboundCaller } from "../up/outbound-caller.ts";

const concurrency = 8;

/** Calls a service so many times, a few at a time, and counts who answered. */
export async function callMany(
  caller: OutboundCaller,
  service: string,
  path: string,
  calls: number,
  label: (outcome: CallOutcome) => string,
): Promise<LoadSummary> {
  const served = new Map<string, number>();
  const examples: string[] = [];
  let failures = 0;
  let begun = 0;
  const one = async () => {
    while (begun < calls) {
      begun += 1;
      const outcome = await caller.get(service, path);
      if (outcome.status === 200) served.set(label(outcome), (served.get(label(outcome)) ?? 0) + 1);
      else {
        failures += 1;
        if (examples.length < 5) examples.push(`${outcome.status} ${outcome.body.slice(0, 200)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return { calls, failures, examples, served };
}

/** `reviews-v1 897, reviews-v2 103, failed 0`, with the first failures where there are some. */
export function counted(summary: LoadSummary): string {
  const served = [...summary.served]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, count]) => `${label} ${count}`);
  const examples = summary.examples.length === 0 ? "" : ` (${summary.examples.join(" / ")})`;
  return [...served, `failed ${summary.failures}${examples}`].join(", ");
}
