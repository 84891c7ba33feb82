import { setTimeout as pause } from "node:timers/promises";
import type { InspectedProcess } from "../inspected-process.ts";

/** After a full collection. */
export interface MemoryUse {
  readonly residentMiB: number;
  /** The JavaScript heap, and what its objects hold outside of it. */
  readonly liveMiB: number;
}

/** What the allocator gives back, it gives back a little later. */
const settleMs = 500;

export async function measureMemory(service: InspectedProcess): Promise<MemoryUse> {
  const inspector = await service.inspector();
  await inspector.collectGarbage();
  await pause(settleMs);
  await inspector.collectGarbage();
  const { usedBytes, externalBytes } = await inspector.heapUse();
  return { residentMiB: service.residentMiB(), liveMiB: (usedBytes + externalBytes) / 2 ** 20 };
}

export interface MemoryPerStream {
  readonly residentKiB: number;
  readonly liveKiB: number;
}

export function perStream(without: MemoryUse, withStreams: MemoryUse, streams: number): MemoryPerStream {
  return {
    residentKiB: ((withStreams.residentMiB - without.residentMiB) * 1024) / streams,
    liveKiB: ((withStreams.liveMiB - without.liveMiB) * 1024) / streams,
  };
}
