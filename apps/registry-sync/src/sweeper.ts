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
  readonly #task: RepeatedTask;

  constructor(options: SweeperOptions) {
    this.#options = options;
    const intervalMs = Math.min(5000, Math.max(100, Math.round(options.leaseTtlMs / 10)));
    this.#task = new RepeatedTask({ what: "sweeping", intervalMs, run: () => this.sweep(), logger: options.logger });
  }

  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    await this.#task.stop();
  }

  async sweep(): Promise<void> {
    const { monitor, leaseTtlMs } = this.#options;
    const availableForMs = monitor.availableForMs();
    if (availableForMs === 0) return;
    if (availableForMs >= leaseTtlMs) await this.#expireNodes();
    await this.#removeServices();
    await this.#options.store.trimChangeLog();
  }

  async #expireNodes(): Promise<void> {
    const { store, metrics, logger } = this.#options;
    let expired: readonly string[];
    do {
      expired = await inSpan("registry.expire", {}, async () => {
        return (await store.write(currentTraceparent(), (tx) => tx.expireNodes(batch))).result;
      });
      metrics.leasesExpired(expired.length);
      for (const node of expired) logger.info({ node }, "lease ran out, node removed");
    } while (expired.length === batch);
  }

  async #removeServices(): Promise<void> {
    const { store, serviceRetentionMs, logger } = this.#options;
    const { result } = await store.write(undefined, (tx) => tx.removeUnusedServices(serviceRetentionMs, batch));
    for (const service of result) logger.info({ service }, "unused service removed");
  }
}
