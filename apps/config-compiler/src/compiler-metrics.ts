import { metrics } from "@opentelemetry/api";
import type { CompiledMesh } from "@fairlead/compile";
import { shortTypeName } from "@fairlead/envoy-api";
import type { CommitResult } from "./bucket-writer.ts";
import type { CompilerRole } from "./compiler-role.ts";

export interface CompiledRound extends Pick<CompiledMesh, "resources" | "rejected"> {
  readonly result: CommitResult;
  readonly revision: number;
  readonly seconds: number;
}

/** What a compiler counts. Labels: the four or five xDS types. */
export class CompilerMetrics {
  readonly #compileSeconds;
  readonly #changedResources;
  #resources: CompiledMesh["resources"] = new Map();
  #revision = 0;
  #rejected = 0;
  #active = 0;

  constructor() {
    const meter = metrics.getMeter("fairlead");
    this.#compileSeconds = meter.createHistogram("fairlead_compile_seconds", {
      description: "From reading a change to its commit on the bus.",
      unit: "s",
      advice: { explicitBucketBoundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] },
    });
    this.#changedResources = meter.createCounter("fairlead_compile_changed_entries", {
      description: "Bucket entries written or deleted because their content changed.",
    });
    meter
      .createObservableGauge("fairlead_compile_resources", { description: "Compiled resources, by type." })
      .addCallback((result) => {
        for (const [type, count] of byType(this.#resources)) result.observe(count, { type });
      });
    meter
      .createObservableGauge("fairlead_compile_revision", {
        description: "The last revision that this compiler committed.",
      })
      .addCallback((result) => result.observe(this.#revision));
    meter
      .createObservableGauge("fairlead_compile_rejected_objects", {
        description: "Objects that cannot be compiled now.",
      })
      .addCallback((result) => result.observe(this.#rejected));
    meter
      .createObservableGauge("fairlead_compile_active", {
        description: "1 on the compiler that is active, 0 on a standby.",
      })
      .addCallback((result) => result.observe(this.#active));
  }

  role(role: CompilerRole): void {
    this.#active = role === "active" ? 1 : 0;
  }

  compiled({ resources, rejected, result, revision, seconds }: CompiledRound): void {
    this.#compileSeconds.record(seconds);
    this.#changedResources.add(result.changedKeys.length + result.removedKeys.length);
    this.#revision = revision;
    this.#rejected = rejected.length;
    this.#resources = resources;
  }
}

/** Counted when somebody asks, not at every change. */
function byType(resources: CompiledMesh["resources"]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { typeUrl } of resources.values()) {
    const type = shortTypeName(typeUrl);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}
