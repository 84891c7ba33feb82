import { BackOff } from "@fairlead/reconnect";
import type { Logger } from "@fairlead/logging";
import { FairleadError } from "@fairlead/errors";
import { pause } from "../deadline.ts";
import type { Registry } from "../registry/registry.ts";
import { isNodeUnknown } from "./retryable.ts";

export interface NodeLeaseOptions {
  readonly registry: Pick<Registry, "registerNode" | "renewLease">;
  /** The registry's lease time until it has said so itself, in milliseconds; the lease is renewed at a third of it. */
  readonly ttlMs: number;
  /** The node is registered: take over what the registry had of it from before. */
  readonly adopt: (signal: AbortSignal) => Promise<void>;
  /** The registry had lost the node, and has it again: register again what belongs to it. */
  readonly restore: (signal: AbortSignal) => Promise<void>;
  readonly logger: Pick<Logger, "info" | "warn">;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/** Registers the node and renews its lease for as long as the sidecar runs; never gives up. */
export class NodeLease {
  readonly #options: NodeLeaseOptions;
  readonly #random: () => number;
  readonly #abort = new AbortController();
  #ttlMs: number;
  #isRegistered = false;
  #lastError: string | undefined;
  #renewedAtMs: number | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: NodeLeaseOptions) {
    this.#options = options;
    this.#ttlMs = options.ttlMs;
    this.#random = options.random ?? Math.random;
  }

  /** Begins; returns at once. */
  start(): void {
    this.#loop = this.#run(this.#abort.signal).catch(() => undefined);
  }

  /** Resolves when no call is under way any more. The registration itself stays. */
  async stop(): Promise<void> {
    this.#abort.abort(new FairleadError("FL_SIDECAR_STOPPING", "the sidecar is stopping"));
    await this.#loop;
  }

  state(): {
    readonly registered: boolean;
    readonly renewedAtMs: number | undefined;
    readonly error: string | undefined;
  } {
    return { registered: this.#isRegistered, renewedAtMs: this.#renewedAtMs, error: this.#lastError };
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { registry, adopt, restore, logger } = this.#options;
    await this.#untilDone(signal, "register the node", async () => {
      await registry.registerNode({ signal });
      await adopt(signal);
    });
    logger.info({}, "node registered");
    for (;;) {
      await pause((this.#ttlMs / 3) * (0.9 + 0.2 * this.#random()), signal);
      let lost = false;
      await this.#untilDone(signal, "renew the lease", async () => {
        lost ||= await this.#isLost(signal);
        if (!lost) return;
        await registry.registerNode({ signal });
        await restore(signal);
      });
    }
  }

  async #isLost(signal: AbortSignal): Promise<boolean> {
    try {
      this.#ttlMs = await this.#options.registry.renewLease({ signal });
      return false;
    } catch (error) {
      if (!isNodeUnknown(error)) throw error;
      this.#isRegistered = false;
      this.#options.logger.warn({}, "registry-sync no longer knows this node; registering everything again");
      return true;
    }
  }

  /** Repeats with back-off, at most a third of the lease time apart. */
  async #untilDone(signal: AbortSignal, what: string, work: () => Promise<void>): Promise<void> {
    const backOff = new BackOff({ maxMs: this.#ttlMs / 3, random: this.#random });
    for (;;) {
      try {
        await work();
        this.#isRegistered = true;
        this.#renewedAtMs = Date.now();
        this.#lastError = undefined;
        return;
      } catch (error) {
        signal.throwIfAborted();
        const { code, message } = FairleadError.from(error);
        if (this.#lastError === undefined)
          this.#options.logger.warn({ code, reason: message }, `could not ${what}; trying again until it is done`);
        this.#lastError = message;
        await pause(backOff.nextMs(), signal);
      }
    }
  }
}
