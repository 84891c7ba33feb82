import { FairleadError } from "@fairlead/errors";
import type { InstanceState } from "@fairlead/model";
import { BackOff } from "@fairlead/reconnect";
import type { PublicationAnswer, ServiceBody } from "@fairlead/registration";
import { type Deadline, pause } from "../deadline.ts";
import type { CallOptions, Registry } from "../registry/registry.ts";
import { isNotConverged, isPassing, isUnknownThere } from "./retryable.ts";
import { type Step, stepMeaning } from "./road.ts";

export interface PublicationStatus {
  readonly service: ServiceBody;
  /** As the registry has it. */
  readonly state: InstanceState;
  readonly waitingFor: string;
  readonly revision: number;
  /** Of the last attempt that failed; undefined after one that did not. */
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

export type PublicationRegistry = Pick<Registry, "publish" | "setState" | "unpublish">;

/** The state after a withdrawal that could not be finished. */
export const staysDraining = "stays draining until /unpub is repeated";

/** One publication as the registry has it, as far as is known here: changed by what the registry answers. */
export class PublicationRecord {
  readonly #registry: PublicationRegistry;
  #service: ServiceBody;
  #state: InstanceState = "warming";
  #isStored = false;
  #revision = 0;
  #error: FairleadError | undefined;
  /** What is waited for. */
  step: Step = "none";

  constructor(service: ServiceBody, registry: PublicationRegistry) {
    this.#service = service;
    this.#registry = registry;
  }

  get service(): ServiceBody {
    return this.#service;
  }

  get state(): InstanceState {
    return this.#state;
  }

  get isStored(): boolean {
    return this.#isStored;
  }

  status(): PublicationStatus {
    return {
      service: this.#service,
      state: this.#state,
      waitingFor: stepMeaning[this.step],
      revision: this.#revision,
      error: this.#error === undefined ? undefined : { code: this.#error.code, message: this.#error.message },
    };
  }

  /** The registry has it, from before a restart. */
  adopt(state: InstanceState): void {
    this.#isStored = true;
    this.#state = state;
  }

  /** The registry has lost it. */
  lost(): void {
    this.#state = "warming";
  }

  /** An attempt failed; undefined: what failed is over. */
  failed(error: FairleadError | undefined): void {
    this.#error = error;
  }

  /** Stores it. */
  async publish(service: ServiceBody, state: "ready" | "warming", options: CallOptions): Promise<PublicationAnswer> {
    return await this.#note(state, this.#registry.publish(service, state, options));
  }

  /** What `publish` stored counts from now on. */
  stored(service: ServiceBody): void {
    this.#service = service;
    this.#isStored = true;
  }

  async setState(state: "draining" | "ready", options: CallOptions): Promise<PublicationAnswer> {
    return await this.#note(state, this.#registry.setState(this.#service, state, options));
  }

  async delete(signal: AbortSignal): Promise<PublicationAnswer> {
    let answer: PublicationAnswer;
    try {
      answer = await this.#registry.unpublish(this.#service, { signal });
    } catch (error) {
      if (!isUnknownThere(error)) throw error;
      answer = { err_no: 0, err_msg: "unpub success", revision: this.#revision };
    }
    this.#revision = answer.revision;
    this.#isStored = false;
    return answer;
  }

  /** Repeats a call while the registry is away. */
  async untilStored(signal: AbortSignal, call: () => Promise<PublicationAnswer>): Promise<PublicationAnswer> {
    const backOff = new BackOff();
    for (;;) {
      try {
        return await call();
      } catch (error) {
        signal.throwIfAborted();
        if (!isPassing(error)) throw error;
        this.#error = error;
        await pause(backOff.nextMs(), signal);
      }
    }
  }

  /** The time of a caller is over. */
  late(waitMs: number, outlook: string): FairleadError {
    const because = this.#error === undefined ? "" : ` (${this.#error.message})`;
    return new FairleadError(
      "FL_NOT_CONVERGED",
      `${this.#name} is ${this.#state}; after ${waitMs} ms it still waits for ${stepMeaning[this.step]}${because}; ${outlook}`,
      { facts: { step: this.step, state: this.#state, revision: this.#revision } },
    );
  }

  /** The registry's words, and what becomes of the publication. */
  callersRemain(error: FairleadError): FairleadError {
    return new FairleadError("FL_NOT_CONVERGED", `${error.message}; ${this.#name} ${staysDraining}`, {
      facts: { ...error.facts, step: "draining", state: "draining" },
      cause: error,
    });
  }

  callsRemain(): FairleadError {
    return new FairleadError(
      "FL_NOT_CONVERGED",
      `no proxy sends new calls to ${this.#name}, but calls are still under way; it ${staysDraining}`,
      { facts: { step: "idle", state: "draining", revision: this.#revision } },
    );
  }

  /** Notes the state that a call stores; one whose wait for the proxies ran out has stored it too. */
  async #note(state: InstanceState, call: Promise<PublicationAnswer>): Promise<PublicationAnswer> {
    try {
      const answer = await call;
      this.#state = state;
      this.#revision = answer.revision;
      this.#error = undefined;
      return answer;
    } catch (error) {
      if (isNotConverged(error)) this.#state = state;
      throw error;
    }
  }

  get #name(): string {
    const { interface: name, protocol, port } = this.#service;
    return `${protocol}/${name} at port ${port}`;
  }
}

/** Of a call that waits for proxies until then. */
export function callOptions(signal: AbortSignal, deadline: Deadline | undefined): CallOptions {
  // A caller whose time is over waits for no proxies any more.
  const waitMs = deadline?.remainingMs ?? 0;
  return waitMs === 0 ? { signal } : { signal, waitMs };
}
