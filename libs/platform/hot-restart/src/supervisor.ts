import { FairleadError } from "@fairlead/errors";
import type { Module } from "@fairlead/lifecycle";
import type { Logger } from "@fairlead/logging";
import { Epoch, type EpochEnd, type EpochProgram } from "./epoch.ts";
import { HeldSockets } from "./held-sockets.ts";
import type { FromEpoch } from "./messages.ts";
import "./errors.ts";

const FIRST_BACK_OFF_MS = 100;
/** One that has served for as long is not blamed for the failures before it. */
const HEALTHY_AFTER_MS = 60_000;
const MAX_BACK_OFF_MS = 10_000;

export interface SupervisorOptions {
  readonly program: EpochProgram;
  readonly logger: Pick<Logger, "info" | "warn" | "error">;
  /** How long a new process may take until it can serve, in milliseconds; then it is ended and the one before it goes on. */
  readonly readyTimeoutMs: number;
  /** How long a replaced process may take to end, in milliseconds; then it is ended. */
  readonly retireTimeoutMs: number;
  /** How long a stop may take, in milliseconds. @default 28000, below the 30 s that the program gives itself */
  readonly stopTimeoutMs?: number;
  /** A process was asked to end everything (POST /quitquitquit). */
  readonly onQuit: () => void;
}

/**
 * Runs the program that serves as a process of its own, an epoch, and replaces it without a refused connection:
 *
 * ```
 *   restart() ─▶ epoch 1 starts from the code on disk ─▶ gets the sockets ─▶ warms ─▶ accepts ─▶ ready
 *                                                                                                 │
 *   epoch 0 serves ─────────────────────────────────────────────────────────▶ retire ◀────────────┘
 *                                                       stops accepting, hands over, drains, ends
 * ```
 *
 * Invariant: the sockets belong to the supervisor; no epoch's end closes one that another asks for.
 */
export class Supervisor implements Module {
  readonly name = "supervisor";
  readonly #options: SupervisorOptions;
  readonly #sockets = new HeldSockets();
  readonly #epochs = new Set<Epoch>();
  readonly #firstStartMs = Date.now();
  #nextNumber = 0;
  #backOffMs = FIRST_BACK_OFF_MS;
  #again: NodeJS.Timeout | undefined;
  #stopping = false;
  #onUp: () => void = () => undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** The newest that serves; undefined while there is none. */
  get serving(): Epoch | undefined {
    return this.#inState("serving");
  }

  /** @throws FairleadError FL_EPOCH_FAILED */
  async start(): Promise<void> {
    const up = new Promise<void>((resolve) => {
      this.#onUp = resolve;
    });
    const first = this.#spawn();
    const ended = await Promise.race([up, first.ended]);
    if (ended === undefined) return;
    this.#stopping = true;
    this.#sockets.close();
    throw new FairleadError("FL_EPOCH_FAILED", `the process that was to serve ${said(ended)}`);
  }

  /** The next epoch, from the code on disk. */
  restart(): void {
    const { logger } = this.#options;
    if (this.#stopping) return;
    const warming = this.#inState("warming");
    if (warming === undefined) this.#spawn();
    else logger.warn({ epoch: warming.number, waiting_for: warming.waitingFor }, "a restart is under way already");
  }

  /** All that runs stops as on SIGTERM. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#again);
    for (const epoch of this.#epochs) {
      epoch.endWithin(this.#options.stopTimeoutMs ?? 28_000);
      epoch.send({ kind: "stop" });
    }
    await Promise.all([...this.#epochs].map(async ({ ended }) => await ended));
    this.#sockets.close();
  }

  /** A signal that each process is to have. */
  signal(name: NodeJS.Signals): void {
    for (const { pid } of this.#epochs) if (pid !== undefined) process.kill(pid, name);
  }

  #spawn(): Epoch {
    clearTimeout(this.#again);
    this.#again = undefined;
    const parent = this.serving;
    const { program, logger } = this.#options;
    const epoch = new Epoch(this.#nextNumber++, program, (message, from) => this.#onMessage(message, from));
    this.#epochs.add(epoch);
    logger.info({ epoch: epoch.number, pid: epoch.pid, replaces: parent?.number }, "starting");
    const firstStartMs = this.#firstStartMs;
    epoch.send({ kind: "welcome", epoch: epoch.number, firstStartMs, replaces: parent !== undefined });
    const limit = setTimeout(() => this.#onNotReady(epoch), this.#options.readyTimeoutMs);
    void epoch.ended.then((end) => {
      clearTimeout(limit);
      this.#onEnd(epoch, end);
    });
    return epoch;
  }

  #onMessage(message: FromEpoch, epoch: Epoch): void {
    switch (message.kind) {
      case "take":
        return this.#give(message, epoch);
      case "release":
        return this.#sockets.release(message, epoch.number);
      case "up":
        epoch.isUp = true;
        return this.#onUp();
      case "waiting":
        epoch.waitingFor = message.for;
        return;
      case "ready":
        return this.#onReady(epoch);
      case "handed-over":
        return this.serving?.send({ kind: "parent-handed-over" });
      case "report":
        return this.serving?.send({ ...message, kind: "parent-report" });
      case "quit":
        return this.#options.onQuit();
    }
  }

  #give(request: Extract<FromEpoch, { kind: "take" }>, epoch: Epoch): void {
    const { id } = request;
    if (epoch.state === "retired") {
      epoch.send({ kind: "refused", id, code: "ECANCELED", message: "another process serves" });
      return;
    }
    try {
      const { handle, port } = this.#sockets.take(request, epoch.number);
      epoch.send({ kind: "taken", id, port }, handle);
    } catch (error) {
      const { code = "EINVAL", message } = error as NodeJS.ErrnoException;
      epoch.send({ kind: "refused", id, code, message });
    }
  }

  #onReady(epoch: Epoch): void {
    if (epoch.state !== "warming") return;
    const { logger, retireTimeoutMs } = this.#options;
    const parent = this.serving;
    epoch.state = "serving";
    epoch.waitingFor = [];
    logger.info({ epoch: epoch.number, afterMs: Date.now() - epoch.startedAtMs }, "serving");
    if (parent !== undefined) {
      parent.state = "retired";
      parent.endWithin(retireTimeoutMs);
      parent.send({ kind: "retire" });
    }
    this.#sockets.keepOnly([epoch.number]);
  }

  #onNotReady(epoch: Epoch): void {
    const { logger, readyTimeoutMs } = this.#options;
    const { serving } = this;
    // The only one is better than none.
    if (epoch.state !== "warming" || serving === undefined) return;
    const waitingFor = epoch.waitingFor.length > 0 ? epoch.waitingFor : ["its start"];
    const facts = { epoch: epoch.number, waiting_for: waitingFor, serving: serving.number, readyTimeoutMs };
    logger.error(facts, "the new process is not ready in time; it is ended, and the one before it goes on");
    epoch.kill();
  }

  #onEnd(epoch: Epoch, end: EpochEnd): void {
    this.#epochs.delete(epoch);
    const { serving } = this;
    const { logger } = this.#options;
    if (this.#stopping) return;
    if (serving !== undefined) this.#sockets.keepOnly([...this.#epochs].map(({ number }) => number));
    if (epoch.state === "retired") {
      logger.info({ epoch: epoch.number, ...end }, "the process that was replaced has ended");
      serving?.send({ kind: "parent-gone" });
      return;
    }
    if (serving !== undefined) {
      if (!epoch.endsAsAsked)
        logger.error(
          { epoch: epoch.number, ...end, serving: serving.number },
          "the new process ended before it was ready; the one before it goes on",
        );
      return;
    }
    // One that warms meanwhile takes its place: it need not wait for anybody.
    const next = this.#inState("warming");
    next?.send({ kind: "parent-gone" });
    // The start itself: `start` tells it.
    if (epoch.number === 0 && !epoch.isUp) return;
    this.#restartLater(epoch, end, next);
  }

  #restartLater(epoch: Epoch, end: EpochEnd, next: Epoch | undefined): void {
    if (Date.now() - epoch.startedAtMs > HEALTHY_AFTER_MS) this.#backOffMs = FIRST_BACK_OFF_MS;
    const inMs = this.#backOffMs;
    const facts = { epoch: epoch.number, ...end, ...(next === undefined ? { inMs } : { next: next.number }) };
    this.#options.logger.error(
      facts,
      "the process that served has ended; callers wait in the sockets' queues for the next one",
    );
    if (next !== undefined) return;
    this.#backOffMs = Math.min(inMs * 2, MAX_BACK_OFF_MS);
    this.#again = setTimeout(() => this.#spawn(), inMs);
  }

  #inState(state: Epoch["state"]): Epoch | undefined {
    return [...this.#epochs].findLast((epoch) => epoch.state === state && !epoch.endsAsAsked);
  }
}

function said({ code, signal }: EpochEnd): string {
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}
