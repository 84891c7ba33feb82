import type { Change } from "@fairlead/model";
import { IncrementalCompiler } from "../incremental-compiler.ts";
import { LargeMesh } from "./large-mesh.ts";

export interface ChangeCost {
  readonly services: number;
  /** Of the compile from nothing. */
  readonly startMs: number;
  /** CPU time of one change of an endpoint: the median of batches. */
  readonly endpointChangeUs: number;
  /** The same of a VirtualService: all virtual hosts of the scope of everything are joined anew. */
  readonly policyChangeUs: number;
}

/** Compiles a mesh of that many services with ten endpoints each, and measures what one change more costs. */
export function measureChangeCost(services: number): ChangeCost {
  const mesh = new LargeMesh(services);
  const compiler = new IncrementalCompiler();
  const started = performance.now();
  compiler.reset(mesh.catalogue);
  const startMs = performance.now() - started;
  const apply = (change: Change) => compiler.apply([change], change.revision);
  return {
    services,
    startMs,
    endpointChangeUs: cpuUsOf(() => apply(mesh.endpointChange()), 200),
    policyChangeUs: cpuUsOf(() => apply(mesh.policyChange()), 3),
  };
}

const batches = 9;

/** The median of batches: another process, or a collection of garbage, shows in few of them. */
function cpuUsOf(once: () => void, batchSize: number): number {
  const batch = () => {
    for (let turn = 0; turn < batchSize; turn += 1) once();
  };
  batch();
  const costs = Array.from({ length: batches }, () => {
    const before = process.cpuUsage();
    batch();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / batchSize;
  });
  return costs.toSorted((a, b) => a - b)[Math.floor(batches / 2)]!;
}
