import type { ResourceView } from "@fairlead/snapshot";
import type { Contents, PlanOptions, ResponsePlan } from "./contents.ts";
import { type RevisionRange, unionOf } from "./revision-range.ts";
import type { Subscription } from "./subscription.ts";

/** One request, without what belongs to the stream. */
export interface TypeRequest {
  /** State of the world: all that is wanted. Delta: what is wanted in addition. */
  readonly names: readonly string[];
  /** Delta only: what is not wanted any more. @default nothing */
  readonly unsubscribed?: readonly string[];
  /** Delta only: what the client has from an earlier stream, name to version. @default nothing */
  readonly initialVersions?: Readonly<Record<string, string>>;
  /** Empty on the first request. */
  readonly nonce: string;
  /** Why the client refuses the response of this nonce; undefined = it does not. An empty reason is a refusal too. */
  readonly errorDetail?: string | undefined;
}

/**
 * What a request meant:
 * - `subscribe`: first of its type, or it changed what is wanted
 * - `ack`, `nack`: of the response that is under way
 * - `repeat`: the current nonce once more, with nothing new
 * - `stale`: of an older response, or of none
 */
export interface RequestOutcome {
  readonly typeUrl: string;
  readonly kind: "subscribe" | "ack" | "nack" | "repeat" | "stale";
  /** For ack and nack: ms since the response was sent. */
  readonly elapsedMs?: number;
  /** For ack and nack: the revisions that the response carried. */
  readonly range?: RevisionRange | undefined;
  /** For nack: the names that the client refuses: those that its reason names, or all that the response carried. */
  readonly refused?: readonly string[];
}

/** NACKED wins over what follows the refusal. */
export type TypeState = "ACKED" | "SENT" | "BLOCKED" | "NACKED" | "NOT_SUBSCRIBED";

/** A revision that a proxy has not ACKed. */
export interface PendingRevisions extends RevisionRange {
  readonly state: "SENT" | "BLOCKED" | "NACKED";
  /** The proxy's reason, or what it waits for. */
  readonly detail: string;
  readonly sinceMs: number;
}

export interface SentResponse {
  readonly plan: ResponsePlan;
  readonly nonce: string;
  readonly range: RevisionRange | undefined;
}

export interface TypeStreamOptions<Held> {
  readonly subscription: Subscription;
  readonly contents: Held;
  readonly ackTimeoutMs: number;
  /** Called when a response was ACKed or refused. */
  readonly onAnswered?: (plan: ResponsePlan) => void;
}

interface InFlight extends SentResponse {
  readonly sentAt: number;
}

/**
 * One type on one stream (rule 5): nonce, what is under way, what waits, what was refused. At most one response is without
 * an answer; what changes meanwhile waits and merges (rule 66), at most `ackTimeoutMs` (rule 65).
 */
export class TypeStream<Held extends Contents = Contents> {
  readonly typeUrl: string;
  readonly subscription: Subscription;
  readonly contents: Held;
  readonly #ackTimeoutMs: number;
  readonly #onAnswered: ((plan: ResponsePlan) => void) | undefined;
  #requested = false;
  #nonce: string | undefined;
  #inFlight: InFlight | undefined;
  #waiting: { range: RevisionRange; sinceMs: number } | undefined;
  #waitingFor = "";
  #refused: { range: RevisionRange | undefined; detail: string; sinceMs: number } | undefined;
  #sentVersion = "";
  #ackedVersion = "";
  #revision = 0;
  #sinceMs = 0;

  constructor(typeUrl: string, options: TypeStreamOptions<Held>) {
    this.typeUrl = typeUrl;
    this.subscription = options.subscription;
    this.contents = options.contents;
    this.#ackTimeoutMs = options.ackTimeoutMs;
    this.#onAnswered = options.onAnswered;
  }

  get sentVersion(): string {
    return this.#sentVersion;
  }
  get ackedVersion(): string {
    return this.#ackedVersion;
  }
  /** The newest revision that was sent. */
  get revision(): number {
    return this.#revision;
  }
  /** Of the last change of state; ms since the epoch. */
  get sinceMs(): number {
    return this.#sinceMs;
  }
  /** Whether a response is without an answer and its time is not over. */
  blocked(now: number): boolean {
    return this.#inFlight !== undefined && now < this.#inFlight.sentAt + this.#ackTimeoutMs;
  }
  /** Whether the client has all there is, and has said so. */
  get settled(): boolean {
    return this.#inFlight === undefined && this.#waiting === undefined && this.#refused === undefined;
  }
  /** When a waiting change is sent without the ACK; undefined when nothing waits for one. */
  get deadline(): number | undefined {
    return this.#inFlight === undefined || !this.contents.due ? undefined : this.#inFlight.sentAt + this.#ackTimeoutMs;
  }

  request(request: TypeRequest, view: ResourceView, revision: number, now: number): RequestOutcome {
    const first = !this.#requested;
    const current = !first && request.nonce !== "" && request.nonce === this.#nonce;
    const inFlight = current ? this.#inFlight : undefined;
    this.#requested = true;
    // A stale request tells what is wanted, too (rules 17, 20, 21): requests are in order, so the last one counts.
    const change = this.subscription.replace(request.names);
    const owed = this.contents.subscribe(change, view, revision);
    if (owed !== undefined) this.#wait(owed, now);

    const outcome = inFlight === undefined ? undefined : this.#answered(inFlight, request.errorDetail, now);
    if (this.subscription.empty) this.#stopWaiting();
    if (!this.contents.hasWork) this.#waiting = undefined;
    if (!this.contents.refusing) this.#refused = undefined;
    if (outcome !== undefined) return outcome;
    const changed =
      change.added.length > 0 || change.removed.length > 0 || change.wildcardBegan || change.wildcardEnded;
    if (first || changed) return { typeUrl: this.typeUrl, kind: "subscribe" };
    return { typeUrl: this.typeUrl, kind: current ? "repeat" : "stale" };
  }

  #answered(inFlight: InFlight, errorDetail: string | undefined, now: number): RequestOutcome {
    this.#inFlight = undefined;
    this.#sinceMs = now;
    const elapsedMs = now - inFlight.sentAt;
    this.#onAnswered?.(inFlight.plan);
    if (errorDetail !== undefined) {
      this.contents.refused(inFlight.plan);
      const range = unionOf(this.#refused?.range, inFlight.range);
      this.#refused = { range, detail: errorDetail, sinceMs: now };
      const refused = inFlight.plan.resources.map((resource) => resource.name);
      return { typeUrl: this.typeUrl, kind: "nack", elapsedMs, range: inFlight.range, refused };
    }
    this.#ackedVersion = inFlight.plan.versionInfo;
    this.contents.acked(inFlight.plan);
    // What was refused along with it is tried again.
    if (!this.contents.refusing && this.contents.due && this.#refused?.range !== undefined)
      this.#wait(this.#refused.range, now);
    return { typeUrl: this.typeUrl, kind: "ack", elapsedMs, range: inFlight.range };
  }

  announce(names: ReadonlySet<string>, revision: number, view: ResourceView, now: number): boolean {
    if (this.subscription.empty) return false;
    const announced = this.contents.announce(names, view);
    if (!this.contents.refusing) this.#refused = undefined;
    if (!announced) return false;
    this.#wait({ first: revision, last: revision }, now);
    return true;
  }

  /** @param reason shown to those who wait for the change */
  waitFor(reason: string): void {
    this.#waitingFor = reason;
  }

  /** @returns what to send; undefined when there is nothing, or it has to wait */
  take(
    view: ResourceView,
    options: PlanOptions & { readonly nonce: () => string; readonly now: number },
  ): SentResponse | undefined {
    if (!this.contents.due) return undefined;
    if (this.blocked(options.now)) {
      this.#waitingFor = "an earlier response is not ACKed";
      return undefined;
    }
    if (this.#inFlight !== undefined) this.contents.lost(this.#inFlight.plan);
    const plan = this.contents.plan(view, options);
    if (plan === undefined) {
      if (!this.contents.due) this.#waiting = undefined;
      return undefined;
    }
    return this.#send(plan, options.nonce(), options.now);
  }

  #send(plan: ResponsePlan, nonce: string, now: number): SentResponse {
    this.contents.sent(plan);
    const range = unionOf(this.#waiting?.range, this.#inFlight?.range);
    this.#inFlight = { plan, nonce, range, sentAt: now };
    this.#nonce = nonce;
    this.#sentVersion = plan.versionInfo;
    this.#revision = Math.max(this.#revision, range?.last ?? 0);
    this.#sinceMs = now;
    if (!this.contents.due) this.#waiting = undefined;
    return this.#inFlight;
  }

  pending(): PendingRevisions[] {
    const pending: PendingRevisions[] = [];
    if (this.#refused?.range !== undefined) {
      pending.push({
        ...this.#refused.range,
        state: "NACKED",
        detail: this.#refused.detail,
        sinceMs: this.#refused.sinceMs,
      });
    }
    if (this.#waiting !== undefined) {
      pending.push({
        ...this.#waiting.range,
        state: "BLOCKED",
        detail: this.#waitingFor,
        sinceMs: this.#waiting.sinceMs,
      });
    }
    if (this.#inFlight?.range !== undefined) {
      pending.push({ ...this.#inFlight.range, state: "SENT", detail: "", sinceMs: this.#inFlight.sentAt });
    }
    return pending;
  }

  get state(): TypeState {
    if (this.subscription.empty) return "NOT_SUBSCRIBED";
    if (this.#refused !== undefined) return "NACKED";
    if (this.#waiting !== undefined) return "BLOCKED";
    return this.#inFlight === undefined ? "ACKED" : "SENT";
  }

  get detail(): string {
    return this.#refused?.detail ?? (this.#waiting === undefined ? "" : this.#waitingFor);
  }

  #wait(range: RevisionRange, now: number): void {
    if (this.#waiting === undefined) this.#waitingFor = "queued";
    this.#waiting = { range: unionOf(this.#waiting?.range, range) ?? range, sinceMs: this.#waiting?.sinceMs ?? now };
  }

  /** Nothing is wanted: nobody is kept waiting for this proxy (rule 39). */
  #stopWaiting(): void {
    this.#inFlight = undefined;
    this.#waiting = undefined;
    this.#refused = undefined;
  }
}
