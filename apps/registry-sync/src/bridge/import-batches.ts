import type { Provider } from "@fairlead/dubbo-registry";

/**
 * Providers of one transaction: few at first, so that what is written is compiled and pushed as early as can be while the next is being written;
 * then twice as many each time, up to where others would wait long.
 */
const firstBatch = 500;
const largestBatch = 2_500;

export interface ImportBatch<One> {
  readonly providers: readonly One[];
  /** Interfaces of which it has the last provider. */
  readonly complete: readonly string[];
}

/** Those of an interface one after the other, so that most interfaces are compiled once. @returns at least one batch */
export function inBatches<One extends Pick<Provider, "interface">>(put: readonly One[]): readonly ImportBatch<One>[] {
  const byInterface = Map.groupBy(put, (provider) => provider.interface);
  if (put.length <= firstBatch) return [{ providers: put, complete: [...byInterface.keys()] }];
  const providers = [...byInterface.values()].flat();
  const batches: ImportBatch<One>[] = [];
  for (let at = 0, size = firstBatch; at < providers.length; at += size, size = Math.min(2 * size, largestBatch)) {
    const batch = providers.slice(at, at + size);
    const names = new Set(batch.map((provider) => provider.interface));
    // Only one may go on in the next.
    names.delete(providers[at + size]?.interface ?? "");
    batches.push({ providers: batch, complete: [...names] });
  }
  return batches;
}
