import { setTimeout as pause } from "node:timers/promises";
import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import { BackOff } from "@fairlead/reconnect";
import { leaseAnswerSchema, type NodeBody } from "@fairlead/registration";
import type { RegistryCaller } from "@fairlead/registry-client";

/** For one attempt at one registry-sync. */
const CALL_TIMEOUT_MS = 5000;
const REMOVE_TIMEOUT_MS = 2000;

export interface NodePresenceOptions {
  readonly registry: Pick<RegistryCaller, "call">;
  readonly node: NodeBody;
  /** Until the registry has told its own, in milliseconds; the lease is renewed at a third of it. */
  readonly leaseTtlMs: number;
  readonly logger: Pick<Logger, "info" | "warn">;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/** Keeps the node registered for as long as the gateway runs; never gives up. */
export class NodePresence {
  readonly #options: NodePresenceOptions;
  readonly #random: () => number;
  readonly #abort = new AbortController();
  #leaseTtlMs: number;
  #registered = false;
  #lastError: string | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: NodePresenceOptions) {
    this.#options = options;
    this.#leaseTtlMs = options.leaseTtlMs;
    this.#random = options.random ?? Math.random;
  }

  get registered(): boolean {
    return this.#registered;
  }

  /** Begins; returns at once. */
  start(): void {
    // What it rejects with is the end of `stop`.
    this.#loop = this.#run(this.#abort.signal).catch(() => undefined);
  }

  /** Ends the renewals. The node stays: another process renews its lease. */
  async leave(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
  }

  /** Ends the renewals, and takes the node out of the mesh; if that does not succeed, its lease ends. */
  async stop(): Promise<void> {
    await this.leave();
    const { registry, node, logger } = this.#options;
    try {
      const path = `/v1/nodes/${encodeURIComponent(node.id)}`;
      const signal = AbortSignal.timeout(REMOVE_TIMEOUT_MS);
      await registry.call({ method: "DELETE", path, timeoutMs: REMOVE_TIMEOUT_MS, signal });
    } catch (error) {
      const { code, message } = FairleadError.from(error);
      logger.warn({ code, reason: message }, "the node could not be removed; its lease will end");
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#untilDone(signal);
      await pause((this.#leaseTtlMs / 3) * (0.9 + 0.2 * this.#random()), undefined, { signal });
    }
  }

  /** Repeats with back-off, at most a third of the lease time apart. */
  async #untilDone(signal: AbortSignal): Promise<void> {
    const backOff = new BackOff({ maxMs: this.#leaseTtlMs / 3, random: this.#random });
    const { logger } = this.#options;
    for (;;) {
      try {
        if (this.#registered) await this.#renew(signal);
        else {
          await this.#register(signal);
          this.#registered = true;
          logger.info({}, "node registered");
        }
        this.#lastError = undefined;
        return;
      } catch (error) {
        signal.throwIfAborted();
        const { code, message } = FairleadError.from(error);
        // The registry has lost it, as its lease had ended: register again, at once.
        if (this.#registered && code === "FL_NODE_UNKNOWN") {
          this.#registered = false;
          continue;
        }
        if (this.#lastError === undefined)
          logger.warn({ code, reason: message }, "the node is not registered or its lease not renewed; trying again");
        this.#lastError = message;
        await pause(backOff.nextMs(), undefined, { signal });
      }
    }
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { registry, node } = this.#options;
    await registry.call({ method: "POST", path: "/v1/nodes", body: { node }, timeoutMs: CALL_TIMEOUT_MS, signal });
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { registry, node } = this.#options;
    const body = { node: { id: node.id } };
    const path = "/v1/leases/renew";
    const answer = await registry.call({ method: "POST", path, body, timeoutMs: CALL_TIMEOUT_MS, signal });
    this.#leaseTtlMs = leaseAnswerSchema.parse(answer).leaseTtlMs;
  }
}
