import type { CompiledResource, ResourceView } from "@fairlead/snapshot";
import type { Contents, PlanOptions, ResponsePlan, SentChange } from "./contents.ts";
import { refusedNames } from "./refused-names.ts";
import { type RevisionRange, unionOf } from "./revision-range.ts";
import type { Subscription } from "./subscription.ts";
import type { PendingRevisions, RequestOutcome, ResourceStatus, TypeRequest, TypeState } from "./type-request.ts";

export interface SentResponse {
  readonly plan: ResponsePlan;
  readonly nonce: string;
  readonly range: RevisionRange | undefined;
  readonly change: SentChange;
}

export interface TypeStreamOptions {
  readonly subscription: Subscription;
  readonly contents: Contents;
  readonly ackTimeoutMs: number;
  /** Called when a response was ACKed or refused. */
  readonly onAnswered?: (plan: ResponsePlan) => void;
}

interface InFlight {
  readonly plan: ResponsePlan;
  readonly nonce: string;
  readonly range: RevisionRange | undefined;
  readonly sentAt: number;
}

/** The text of a NACK goes to status messages and pages. */
const maxDetailLength = 1024;
/** By the list, which is one for all streams that are sent the same. */
const namesOfLists = new WeakMap<readonly CompiledResource[], readonly string[]>();

function namesOf(list: readonly CompiledResource[]): readonly string[] {
  let names = namesOfLists.get(list);
  if (names === undefined) namesOfLists.set(list, (names = list.map((resource) => resource.name)));
  return names;
}

const nothingHeld: ReadonlyMap<string, string> = new Map();

/**
 * One type on one stream (rule 5): nonce, what is under way, what waits, what was refused. At most one response is without
 * an answer; what changes meanwhile waits and merges (rule 66), at most `ackTimeoutMs` (rule 65).
 */
export class TypeStream {
  readonly typeUrl: string;
  readonly subscription: Subscription;
  readonly contents: Contents;
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

  constructor(typeUrl: string, options: TypeStreamOptions) {
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
    const change = this.subscription.apply(request);
    const initialVersions = (first ? request.initialVersions : undefined) ?? nothingHeld;
    const owed = this.contents.subscribe(change, { view, revision, initialVersions });
    if (initialVersions.size > 0) this.#sentVersion = this.#ackedVersion = this.contents.version;
    if (owed !== undefined) this.#wait(owed, now);

    const outcome = inFlight === undefined ? undefined : this.#answered(inFlight, request.errorDetail, { view, now });
    if (this.subscription.empty) this.#stopWaiting();
    if (!this.contents.hasWork) this.#waiting = undefined;
    if (!this.contents.refusing) this.#refused = undefined;
    if (outcome !== undefined) return outcome;
    const changed =
      change.added.length > 0 || change.removed.length > 0 || change.wildcardBegan || change.wildcardEnded;
    if (first || changed) return { typeUrl: this.typeUrl, kind: "subscribe" };
    return { typeUrl: this.typeUrl, kind: current ? "repeat" : "stale" };
  }

  #answered(
    inFlight: InFlight,
    errorDetail: string | undefined,
    { view, now }: { readonly view: ResourceView; readonly now: number },
  ): RequestOutcome {
    this.#inFlight = undefined;
    this.#sinceMs = now;
    const elapsedMs = now - inFlight.sentAt;
    this.#onAnswered?.(inFlight.plan);
    if (errorDetail !== undefined) {
      const { resources } = inFlight.plan;
      const refused = refusedNames(errorDetail, namesOf(resources));
      const isRefused = new Set(refused);
      const refusedResources =
        refused.length === resources.length ? resources : resources.filter(({ name }) => isRefused.has(name));
      this.contents.refused(inFlight.plan, refused, view);
      const range = unionOf(this.#refused?.range, inFlight.range);
      this.#refused = { range, detail: errorDetail.slice(0, maxDetailLength), sinceMs: now };
      // What was not named goes out again, without what was.
      if (this.contents.due && inFlight.range !== undefined) this.#wait(inFlight.range, now);
      return { typeUrl: this.typeUrl, kind: "nack", elapsedMs, range: inFlight.range, refused, refusedResources };
    }
    this.#ackedVersion = inFlight.plan.versionInfo;
    this.contents.acked(inFlight.plan);
    // What was refused along with it is tried again.
    if (!this.contents.refusing && this.contents.due && this.#refused?.range !== undefined)
      this.#wait(this.#refused.range, now);
    return { typeUrl: this.typeUrl, kind: "ack", elapsedMs, range: inFlight.range };
  }

  announce(names: ReadonlySet<string>, revisions: RevisionRange, view: ResourceView, now: number): boolean {
    if (this.subscription.empty) return false;
    const announced = this.contents.announce(names, view);
    if (!this.contents.refusing) this.#refused = undefined;
    // What waited may be gone again.
    if (!this.contents.hasWork) this.#waiting = undefined;
    if (!announced) return false;
    this.#wait(revisions, now);
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
    const change = this.contents.sent(plan);
    const range = unionOf(this.#waiting?.range, this.#inFlight?.range);
    this.#inFlight = { plan, nonce, range, sentAt: now };
    this.#nonce = nonce;
    this.#sentVersion = plan.versionInfo;
    this.#revision = Math.max(this.#revision, range?.last ?? 0);
    this.#sinceMs = now;
    if (!this.contents.due) this.#waiting = undefined;
    return { plan, nonce, range, change };
  }

  *resources(): Iterable<ResourceStatus> {
    const { typeUrl } = this;
    const inFlight = new Set(this.#inFlight?.plan.resources.map((resource) => resource.name));
    const shown = new Set<string>();
    for (const [name, version] of this.contents.refusals()) {
      shown.add(name);
      yield { typeUrl, name, version, state: "NACKED" };
    }
    for (const [name, version] of this.contents.held()) {
      if (shown.has(name)) continue;
      shown.add(name);
      yield { typeUrl, name, version, state: inFlight.has(name) ? "SENT" : "ACKED" };
    }
    for (const name of this.subscription.names()) {
      if (!shown.has(name)) yield { typeUrl, name, version: "", state: "MISSING" };
    }
  }

  get hasPending(): boolean {
    return this.#waiting !== undefined || this.#inFlight?.range !== undefined || this.#refused?.range !== undefined;
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
