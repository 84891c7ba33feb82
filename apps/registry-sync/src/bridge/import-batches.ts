import type { Provider } from "@fairlead/dubbo-registry";

/**
 * Providers of one transaction: few at first, so that what is written is compiled and pushed as early as can be while the next is being written;
 * then twice as many each time, up to where others would wait long.
 */
const firstBatch = 500;
const largestBatch = 2_500;

/** Those of an interface one after the other, so that most interfaces are compiled once. @returns at least one batch */
export function inBatches<One extends Pick<Provider, "interface">>(put: readonly One[]): readonly (readonly One[])[] {
  if (put.length <= firstBatch) return [put];
  const providers = [...Map.groupBy(put, (provider) => provider.interface).values()].flat();
  const batches: (readonly One[])[] = [];
  for (let at = 0, size = firstBatch; at < providers.length; at += size, size = Math.min(2 * size, largestBatch))
    batches.push(providers.slice(at, at + size));
  return batches;
}
