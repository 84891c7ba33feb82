import { isOfRegistry } from "@fairlead/dubbo-registry";
import type { Logger } from "@fairlead/logging";
import type { Catalogue } from "@fairlead/model";
import type { CatalogueReader, CatalogueWriter } from "@fairlead/store";
import { RepeatedTask } from "../repeated-task.ts";
import { mirroredRegistry } from "./mirrored-instance.ts";

export interface RetiredRegistriesOptions {
  /** Names of the registries that this process bridges, or would. */
  readonly bridged: readonly string[];
  readonly store: Pick<CatalogueReader, "tryLock" | "snapshot"> & Pick<CatalogueWriter, "write">;
  /** How long nobody must have owned a registry. Milliseconds. */
  readonly delayMs: number;
  readonly logger: Logger;
}

const lookMs = 1_000;

/** The name of the lock that a registry's owner has. */
export function bridgeLock(registry: string): string {
  return `bridge ${registry}`;
}

/**
 * Removes what was read from registries that nobody bridges any more. One that another replica still has in its settings is owned by it;
 * only when nobody has owned it for a while, it is gone from all of them.
 */
export class RetiredRegistries {
  readonly #options: RetiredRegistriesOptions;
  readonly #task: RepeatedTask;
  /** Since when nobody owns it, as far as was looked. */
  readonly #unownedSince = new Map<string, number>();

  constructor(options: RetiredRegistriesOptions) {
    this.#options = options;
    this.#task = new RepeatedTask({
      what: "removing what is left of registries that are not bridged any more",
      intervalMs: lookMs,
      run: () => this.#look(),
      logger: options.logger,
    });
  }

  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    await this.#task.stop();
  }

  async #look(): Promise<void> {
    const { bridged, store, delayMs } = this.#options;
    const { result } = await store.write(undefined, (tx) => tx.findMirroredRegistries());
    const found = result.filter((name) => !bridged.includes(name));
    for (const name of this.#unownedSince.keys()) if (!found.includes(name)) this.#unownedSince.delete(name);
    for (const name of found) {
      const lock = await store.tryLock(bridgeLock(name));
      if (lock === undefined) {
        this.#unownedSince.delete(name);
        continue;
      }
      try {
        const now = performance.now();
        const since = this.#unownedSince.get(name) ?? now;
        this.#unownedSince.set(name, since);
        if (now - since >= delayMs) await this.#remove(name, await store.snapshot());
      } finally {
        await lock.release();
      }
    }
  }

  async #remove(name: string, { nodes, instances, policies }: Catalogue): Promise<void> {
    const { store, logger } = this.#options;
    const ids = [...nodes.keys()].filter((id) => mirroredRegistry(id) === name);
    const own = [...instances.values()].filter(({ nodeId }) => mirroredRegistry(nodeId) === name);
    const rules = [...policies.values()].filter(
      ({ namespace }) => isOfRegistry(namespace) && namespace.slice(1) === name,
    );
    await store.write(undefined, async (tx) => {
      await tx.removeMirrored(own);
      const left = new Set(own.map(({ nodeId }) => nodeId));
      for (const id of ids.toSorted()) if (!left.has(id)) await tx.removeNode(id);
      for (const policy of rules) await tx.removePolicy(policy);
    });
    logger.info(
      { registry: name, nodes: ids.length, instances: own.length, policies: rules.length },
      "a registry is not bridged any more: what was read from it is removed",
    );
  }
}
