import type { Logger } from "@fairlead/logging";
import type { AdvisoryLock, CatalogueReader, CatalogueWriter } from "@fairlead/store";
import { RepeatedTask } from "../repeated-task.ts";
import type { BridgedRegistry } from "./bridged-registry.ts";
import { CatalogueFollower } from "./catalogue-follower.ts";
import { exportedServices } from "./exported-services.ts";
import type { ForeignRegistry, ForeignRegistryEvents } from "./foreign-registry.ts";
import { mirroredPrefix } from "./mirrored-instance.ts";
import { openRegistry } from "./open-registry.ts";
import { RegistryImport } from "./registry-import.ts";
import { bridgeLock } from "./retired-registries.ts";
import type { RuleProblem } from "./rule-book.ts";

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
  /** Providers, services and rules beyond the limits of one registry. */
  readonly leftOut: number;
  /** Instances that do not say what they serve: what the mesh had of them stays, and they are asked again. */
  readonly asked: number;
  /** Rules of the registry that the mesh follows. */
  readonly rules: number;
  /** What rules say that the mesh does not do. */
  readonly ruleProblems: readonly RuleProblem[];
}

const electionMs = 1_000;
const followMs = 1_000;

interface Ownership {
  readonly lock: AdvisoryLock;
  readonly incoming: RegistryImport;
  readonly registry: ForeignRegistry;
  readonly following: RepeatedTask;
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
  /** What was exported while this process owned the registry: it stays until another owner has it there. */
  #lingering: ForeignRegistry | undefined;

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
      leftOut: (incoming?.leftOut ?? 0) + (registry?.leftOut ?? 0),
      asked: registry?.asked ?? 0,
      rules: incoming?.rules ?? 0,
      ruleProblems: incoming?.ruleProblems ?? [],
    };
  }

  start(): void {
    this.#election.start();
  }

  /** What was exported is gone at once; what was read stays for the next owner. */
  async stop(): Promise<void> {
    await this.#election.stop();
    await this.#end();
    await this.#stopLingering();
  }

  /** Changes of the mesh are looked for now. */
  meshChanged(): void {
    this.#ownership?.following.trigger();
  }

  async #own(): Promise<void> {
    if (this.#ownership !== undefined) return;
    await this.#ending;
    const { store, registry: bridged, logger } = this.#options;
    const lock = await store.tryLock(bridgeLock(bridged.name));
    if (lock === undefined) {
      await this.#stopLingering();
      return;
    }
    try {
      const follower = new CatalogueFollower(store, mirroredPrefix(bridged.name));
      const incoming = new RegistryImport({ ...this.#options, ...bridged });
      incoming.restore((await follower.read()).catalogue);
      const registry = openRegistry(this.#options, this.#takingOver(incoming));
      const following = this.#following(follower, incoming, registry);
      this.#ownership = { lock, incoming, registry, following };
      lock.lost.addEventListener("abort", () => void this.#lose());
      if (lock.lost.aborted) void this.#lose();
      logger.info({ registry: bridged.name }, "this process mirrors a registry");
      registry.start();
      following.start();
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** What the mesh has is exported, and rules are for all that serve an interface. */
  #following(follower: CatalogueFollower, incoming: RegistryImport, registry: ForeignRegistry): RepeatedTask {
    const { origin, logger, registry: bridged } = this.#options;
    let first = true;
    return new RepeatedTask({
      what: `following the mesh for the registry ${bridged.name}`,
      intervalMs: followMs,
      async run() {
        const { catalogue, changed } = await follower.read();
        if (!changed && !first) return;
        first = false;
        incoming.meshChanged(catalogue);
        if (bridged.exports) registry.export(exportedServices(catalogue, origin));
      },
      logger,
    });
  }

  /** What this process exported before it lost its lock goes when it is the owner again, and has exported it anew. */
  #takingOver(incoming: RegistryImport): ForeignRegistryEvents {
    return {
      onAll: (reading) => {
        incoming.onAll(reading);
        void this.#stopLingering();
      },
      onProviders: (source, providers) => incoming.onProviders(source, providers),
      onRule: (source, document) => incoming.onRule(source, document),
      onSuspended: () => incoming.onSuspended(),
    };
  }

  /**
   * Another process may own the registry from now on: nothing is written any more. But where PostgreSQL is away nobody owns it, and consumers
   * outside the mesh would have no provider: what was exported stays until there is an owner.
   */
  async #lose(): Promise<void> {
    const registry = this.#ownership?.registry;
    if (registry === undefined) return;
    const before = this.#lingering;
    this.#lingering = registry;
    await Promise.all([before?.stop(), this.#end()]);
  }

  async #stopLingering(): Promise<void> {
    const registry = this.#lingering;
    this.#lingering = undefined;
    await registry?.stop();
  }

  async #end(): Promise<void> {
    const ownership = this.#ownership;
    if (ownership === undefined) {
      await this.#ending;
      return;
    }
    this.#ownership = undefined;
    const { lock, incoming, registry, following } = ownership;
    this.#ending = (async () => {
      await following.stop();
      await Promise.all([incoming.stop(), registry === this.#lingering ? undefined : registry.stop()]);
      await lock.release();
    })();
    await this.#ending;
  }
}
