import type { Logger } from "@fairlead/logging";
import type { AdvisoryLock, CatalogueReader, CatalogueWriter } from "@fairlead/store";
import { RepeatedTask } from "../repeated-task.ts";
import type { BridgedRegistry } from "./bridged-registry.ts";
import { CatalogueFollower } from "./catalogue-follower.ts";
import { exportedServices } from "./exported-services.ts";
import type { ForeignRegistry } from "./foreign-registry.ts";
import { openRegistry } from "./open-registry.ts";
import { RegistryImport } from "./registry-import.ts";

export interface RegistryBridgeOptions {
  readonly registry: BridgedRegistry;
  /** The mesh's name in what it writes. */
  readonly origin: string;
  readonly store: Pick<CatalogueReader, "tryLock" | "snapshot" | "changesSince"> & Pick<CatalogueWriter, "write">;
  readonly removalDelayMs: number;
  readonly lossHoldMs: number;
  readonly sessionTimeoutMs: number;
  readonly logger: Logger;
}

/** What an operator sees of one bridge. */
export interface BridgeStatus {
  readonly registry: string;
  /** Whether this process is the one that mirrors it. */
  readonly owner: boolean;
  readonly connected: boolean;
  readonly providers: number;
  readonly unusable: number;
}

const electionMs = 1_000;
const exportMs = 1_000;

interface Ownership {
  readonly lock: AdvisoryLock;
  readonly incoming: RegistryImport;
  readonly registry: ForeignRegistry;
  readonly exporting: RepeatedTask | undefined;
}

/**
 * One registry outside the mesh, both ways. Of all replicas one owns it, by a lock in PostgreSQL, and the next one takes over when it ends:
 * a registry is read once, and nodes of it have one writer.
 */
export class RegistryBridge {
  readonly #options: RegistryBridgeOptions;
  readonly #election: RepeatedTask;
  #ownership: Ownership | undefined;
  #ending: Promise<void> | undefined;

  constructor(options: RegistryBridgeOptions) {
    this.#options = options;
    this.#election = new RepeatedTask({
      what: `mirroring the registry ${options.registry.name}`,
      intervalMs: electionMs,
      run: () => this.#own(),
      logger: options.logger,
    });
  }

  get status(): BridgeStatus {
    const { name } = this.#options.registry;
    const { registry, incoming } = this.#ownership ?? {};
    return {
      registry: name,
      owner: this.#ownership !== undefined,
      connected: registry?.connected ?? false,
      providers: incoming?.providers ?? 0,
      unusable: incoming?.unusable ?? 0,
    };
  }

  start(): void {
    this.#election.start();
  }

  /** What was exported is gone at once; what was read stays for the next owner. */
  async stop(): Promise<void> {
    await this.#election.stop();
    await this.#end();
  }

  /** Changes of the mesh are looked for now. */
  meshChanged(): void {
    this.#ownership?.exporting?.trigger();
  }

  async #own(): Promise<void> {
    if (this.#ownership !== undefined) return;
    await this.#ending;
    const { store, registry: bridged, logger } = this.#options;
    const lock = await store.tryLock(`bridge ${bridged.name}`);
    if (lock === undefined) return;
    try {
      const incoming = new RegistryImport({ ...this.#options, name: bridged.name });
      await incoming.restore();
      const registry = openRegistry(this.#options, incoming);
      const exporting = bridged.exports ? this.#exporting(registry) : undefined;
      this.#ownership = { lock, incoming, registry, exporting };
      lock.lost.addEventListener("abort", () => void this.#end());
      logger.info({ registry: bridged.name }, "this process mirrors a registry");
      registry.start();
      exporting?.start();
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  #exporting(registry: ForeignRegistry): RepeatedTask {
    const { store, origin, logger, registry: bridged } = this.#options;
    const follower = new CatalogueFollower(store);
    return new RepeatedTask({
      what: `exporting to the registry ${bridged.name}`,
      intervalMs: exportMs,
      async run() {
        const { catalogue, changed } = await follower.read();
        if (changed) registry.export(exportedServices(catalogue, origin));
      },
      logger,
    });
  }

  async #end(): Promise<void> {
    const ownership = this.#ownership;
    if (ownership === undefined) {
      await this.#ending;
      return;
    }
    this.#ownership = undefined;
    const { lock, incoming, registry, exporting } = ownership;
    this.#ending = (async () => {
      await exporting?.stop();
      await Promise.all([incoming.stop(), registry.stop()]);
      await lock.release();
    })();
    await this.#ending;
  }
}
