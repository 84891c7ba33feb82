import type { Logger } from "@fairlead/logging";
import type { Store } from "@fairlead/store";
import { currentTraceparent, inSpan } from "@fairlead/telemetry";
import type { RegistryMetrics } from "./registry-metrics.ts";
import { RepeatedTask } from "./repeated-task.ts";

/** Nodes and services that one transaction removes at most. */
const batch = 100;

export interface SweeperOptions {
  readonly store: Pick<Store, "write" | "trimChangeLog">;
  readonly monitor: { availableForMs(): number };
  readonly leaseTtlMs: number;
  readonly serviceRetentionMs: number;
  readonly metrics: Pick<RegistryMetrics, "leasesExpired">;
  readonly logger: Logger;
}

/**
 * Removes nodes whose lease ran out, services that nobody uses, and old changes. Every replica sweeps.
 *
 * Nothing expires before nodes had one lease time to renew in: after the start of this process, after an outage of
 * PostgreSQL. So an outage of the control plane takes no instance out of service.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #leases: RepeatedTask;
  readonly #leftovers: RepeatedTask;

  constructor(options: SweeperOptions) {
    this.#options = options;
    const { logger, leaseTtlMs, serviceRetentionMs } = options;
    this.#leases = new RepeatedTask({
      what: "expiring leases",
      intervalMs: Math.min(5000, leaseTtlMs / 10),
      run: () => this.#expireNodes(),
      logger,
    });
    this.#leftovers = new RepeatedTask({
      what: "removing unused services and old changes",
      intervalMs: Math.min(60_000, Math.max(1000, serviceRetentionMs / 4)),
      run: () => this.#removeLeftovers(),
      logger,
    });
  }

  start(): void {
    this.#leases.start();
    this.#leftovers.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#leases.stop(), this.#leftovers.stop()]);
  }

  async #expireNodes(): Promise<void> {
    const { store, monitor, leaseTtlMs, metrics, logger } = this.#options;
    if (monitor.availableForMs() < leaseTtlMs) return;
    let expired: readonly string[];
    do {
      expired = await inSpan("registry.expire", {}, async () => {
        return (await store.write(currentTraceparent(), (tx) => tx.expireNodes(batch))).result;
      });
      metrics.leasesExpired(expired.length);
      for (const node of expired) logger.info({ node }, "lease ran out, node removed");
    } while (expired.length === batch);
  }

  async #removeLeftovers(): Promise<void> {
    const { store, monitor, serviceRetentionMs, logger } = this.#options;
    if (monitor.availableForMs() === 0) return;
    const { result } = await store.write(undefined, (tx) => tx.removeUnusedServices(serviceRetentionMs, batch));
    for (const service of result) logger.info({ service }, "unused service removed");
    await store.trimChangeLog();
  }
}
