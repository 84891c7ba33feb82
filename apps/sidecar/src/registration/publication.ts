import { isDeepStrictEqual } from "node:util";
import type { InstanceState } from "@fairlead/model";
import { BackOff } from "@fairlead/reconnect";
import type { PublicationAnswer, ServiceBody } from "@fairlead/registration";
import { inSpan } from "@fairlead/telemetry";
import { Deadline, pause, unlessAborted, within } from "../deadline.ts";
import type { LocalProxy } from "./local-proxy.ts";
import {
  callOptions,
  PublicationRecord,
  type PublicationRegistry,
  type PublicationStatus,
  staysDraining,
} from "./publication-record.ts";
import { isNotConverged, isPassing, isUnknownThere } from "./retryable.ts";
import { OneRoad, type Road } from "./road.ts";

/** How long an answer without `?wait` is held back, so that it can say `ready` and not only `warming`. */
const answerReadyWithinMs = 2000;
/** The registry answers at the time-out itself; its answer needs a moment to arrive. */
const answerGraceMs = 500;
const quietMs = 100;
/** Where another publication shares the port its calls cannot be told apart, so the wait for quiet is short. */
const sharedPortQuietTimeoutMs = 1000;
const backgroundWaitMs = 10_000;

export interface PublicationParts {
  readonly registry: PublicationRegistry;
  readonly proxy: LocalProxy;
  /** Whether another publication has the same port. */
  readonly isPortShared: () => boolean;
  /** Called when the registry has deleted it, or never stored it. */
  readonly gone: () => void;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

/**
 * One publication and its road (docs/architecture.md, "The road of one publication"):
 *
 *   publish    store as warming ─▶ own inbound listener serves it ─▶ store as ready ─▶ callers' proxies ACK
 *   withdraw   store as draining ─▶ callers' proxies ACK ─▶ no call under way ─▶ delete
 *
 * A road goes on after its caller's time-out or departure, and over losses of the registry.
 */
export class Publication {
  readonly #parts: PublicationParts;
  readonly #record: PublicationRecord;
  readonly #road: OneRoad;

  constructor(service: ServiceBody, parts: PublicationParts) {
    this.#parts = parts;
    this.#record = new PublicationRecord(service, parts.registry);
    this.#road = new OneRoad((error) => {
      this.#record.failed(error);
      this.#record.step = "none";
      if (!this.#record.isStored) parts.gone();
    });
  }

  get service(): ServiceBody {
    return this.#record.service;
  }

  status(): PublicationStatus {
    return this.#record.status();
  }

  /**
   * Publishes, or publishes anew with what changed; the same again joins the road that is under way.
   *
   * @param waitMs wait for all proxies, for at most this long; undefined = answer when it is ready or, after 2 s, stored
   * @throws FairleadError FL_NOT_CONVERGED; FL_REGISTRY_UNAVAILABLE or RelayedError: it is not published
   */
  async publish(service: ServiceBody, waitMs: number | undefined): Promise<PublicationAnswer> {
    const deadline = new Deadline(waitMs ?? answerReadyWithinMs, this.#parts.now);
    const { current } = this.#road;
    const joined = current?.goal === "publish" && isDeepStrictEqual(current.service, service) ? current : undefined;
    const road =
      joined ??
      this.#startPublishing(service, { insist: false, deadline: waitMs === undefined ? undefined : deadline });
    let first: PublicationAnswer;
    try {
      first = await road.stored;
    } catch (error) {
      // What was stored before this call is kept, also where the call stopped its road.
      this.#resume();
      throw error;
    }
    if (waitMs === undefined) return await within(deadline.remainingMs, road.done, () => first);
    const late = () => this.#late(waitMs, "it goes on; GET /v1/registrations shows the state");
    if (joined === undefined) return await within(deadline.remainingMs + answerGraceMs, road.done, late);
    try {
      await within(deadline.remainingMs, road.done, late);
    } catch (error) {
      // The other caller had less time.
      if (!isNotConverged(error) || deadline.remainingMs === 0) throw error;
    }
    return await this.#parts.registry.setState(service, "ready", { waitMs: deadline.remainingMs });
  }

  /**
   * Withdraws. May be repeated; a repeated call goes on from `draining`.
   *
   * @param waitMs the time for all of it; undefined = answer when callers were told, go on in the background until it is done
   * @throws FairleadError FL_NOT_CONVERGED: it stays draining until the next call
   */
  async withdraw(waitMs: number | undefined): Promise<PublicationAnswer> {
    const { current } = this.#road;
    const joined = current?.goal === "withdraw" ? current : undefined;
    const start = { goal: "withdraw", service: this.service } as const;
    if (waitMs === undefined) {
      if (joined?.insists === true) return await joined.stored;
      return await this.#road.take({ ...start, insists: true }, (signal, stored) =>
        this.#withdrawInBackground(signal, stored),
      ).stored;
    }
    const deadline = new Deadline(waitMs, this.#parts.now);
    if (joined !== undefined) {
      try {
        return await within(waitMs, joined.done, () => this.#late(waitMs, staysDraining));
      } catch (error) {
        if (!isNotConverged(error) || deadline.remainingMs === 0) throw error;
        // The other caller had less time.
      }
    }
    const road = this.#road.take({ ...start, insists: false }, (signal) => this.#withdrawRoad(signal, deadline));
    return await within(deadline.remainingMs + 2 * answerGraceMs, road.done, () => {
      road.stop();
      return this.#late(waitMs, staysDraining);
    });
  }

  /** The registry has lost the node with all that it had: publishes again, unless it was being withdrawn anyway. */
  restore(): void {
    if (this.#road.current?.goal === "withdraw") return;
    if (this.#record.state === "draining") {
      this.#parts.gone();
      return;
    }
    this.#record.lost();
    this.#startPublishing(this.service, { insist: true, deadline: undefined });
  }

  /** Takes over what the registry has of this node from before a restart of the sidecar, and goes on from there. */
  adopt(state: InstanceState): void {
    this.#record.adopt(state);
    this.#resume();
    if (state === "draining") void this.withdraw(undefined).catch(() => undefined);
  }

  /** Stops what is under way without telling the registry. */
  abandon(): void {
    this.#road.current?.stop();
  }

  /** Goes on from `warming`, where nothing else is under way. */
  #resume(): void {
    const { isStored, state } = this.#record;
    if (!isStored || state !== "warming" || this.#road.current !== undefined) return;
    this.#startPublishing(this.service, { insist: true, deadline: undefined });
  }

  #startPublishing(service: ServiceBody, options: { insist: boolean; deadline: Deadline | undefined }): Road {
    return this.#road.take({ goal: "publish", service, insists: options.insist }, (signal, stored) =>
      this.#publishRoad(service, signal, stored, options),
    );
  }

  async #publishRoad(
    service: ServiceBody,
    signal: AbortSignal,
    stored: (answer: PublicationAnswer) => void,
    { insist, deadline }: { insist: boolean; deadline: Deadline | undefined },
  ): Promise<PublicationAnswer> {
    const { proxy } = this.#parts;
    const record = this.#record;
    const backOff = new BackOff();
    for (let again = insist; ; again = true) {
      record.step = "store";
      // Ready before means that the inbound listener serves this port already; warming would take it from its callers.
      const state = record.state === "ready" ? "ready" : "warming";
      const store = () => record.publish(service, state, callOptions(signal, state === "ready" ? deadline : undefined));
      const first = await (again ? record.untilStored(signal, store) : store());
      record.stored(service);
      stored(first);
      if (state === "ready") return first;
      record.step = "inbound";
      await inSpan(
        "sidecar.await_inbound",
        { interface: service.interface },
        async () => await proxy.serves(service, signal),
      );
      record.step = "ready";
      try {
        return await record.untilStored(signal, () => record.setState("ready", callOptions(signal, deadline)));
      } catch (error) {
        // It was lost there meanwhile, with its lease or its node: from the beginning.
        if (!isUnknownThere(error)) throw error;
        await pause(backOff.nextMs(), signal);
      }
    }
  }

  async #withdrawRoad(signal: AbortSignal, deadline: Deadline): Promise<PublicationAnswer> {
    const { proxy, isPortShared } = this.#parts;
    const record = this.#record;
    record.step = "draining";
    let drained: PublicationAnswer | undefined;
    try {
      drained = await record.setState("draining", callOptions(signal, deadline));
    } catch (error) {
      if (isNotConverged(error)) throw record.callersRemain(error);
      // What the registry does not know has no callers.
      if (!isUnknownThere(error)) throw error;
    }
    record.step = "idle";
    const shared = isPortShared();
    const timeoutMs = shared ? Math.min(sharedPortQuietTimeoutMs, deadline.remainingMs) : deadline.remainingMs;
    const idle = await inSpan(
      "sidecar.await_idle",
      { interface: record.service.interface },
      async () => await unlessAborted(signal, proxy.whenIdle(record.service.port, { quietMs, timeoutMs })),
    );
    if (!idle && !shared) throw record.callsRemain();
    const deleted = await this.#delete(signal);
    return drained?.convergence === undefined ? deleted : { ...deleted, convergence: drained.convergence };
  }

  async #withdrawInBackground(
    signal: AbortSignal,
    stored: (answer: PublicationAnswer) => void,
  ): Promise<PublicationAnswer> {
    this.#record.step = "draining";
    try {
      stored(await this.#record.setState("draining", { signal }));
    } catch (error) {
      if (!isUnknownThere(error)) throw error;
      return await this.#delete(signal);
    }
    const backOff = new BackOff();
    for (;;) {
      try {
        return await this.#withdrawRoad(signal, new Deadline(backgroundWaitMs, this.#parts.now));
      } catch (error) {
        signal.throwIfAborted();
        if (!isNotConverged(error) && !isPassing(error)) throw error;
        this.#record.failed(error);
        await pause(backOff.nextMs(), signal);
      }
    }
  }

  async #delete(signal: AbortSignal): Promise<PublicationAnswer> {
    this.#record.step = "delete";
    return await this.#record.delete(signal);
  }

  #late(waitMs: number, outlook: string): never {
    throw this.#record.late(waitMs, outlook);
  }
}
