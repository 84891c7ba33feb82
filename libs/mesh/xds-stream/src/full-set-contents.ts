import type { CompiledResource, ResourceView } from "@fairlead/snapshot";
import type { Contents, PlanOptions, ResponsePlan } from "./contents.ts";
import type { RevisionRange } from "./revision-range.ts";
import { versionOfList } from "./set-version.ts";
import type { Subscription, SubscriptionChange } from "./subscription.ts";

/** Listeners and clusters: each response is all that the client shall have; absence is deletion (rule 55). */
export class FullSetContents implements Contents {
  readonly #typeUrl: string;
  readonly #subscription: Subscription;
  #announced = false;
  #due = false;
  #owed = false;
  /** What the client has or is about to have; undefined when it refused the last response: it may hold half of it. */
  #sent: ResponsePlan | undefined;
  /** What it is known to have. */
  #acked: ResponsePlan | undefined;
  #refusedVersion: string | undefined;
  /** The last plan keeps what the view has lost: the removal is still due. */
  #keepsLost = false;
  #replaced: readonly string[] = [];
  #added: readonly string[] = [];

  constructor(typeUrl: string, subscription: Subscription) {
    this.#typeUrl = typeUrl;
    this.#subscription = subscription;
  }

  get due(): boolean {
    return this.#due || this.#owed;
  }
  get hasWork(): boolean {
    return this.due || this.#announced;
  }
  get owed(): boolean {
    return this.#owed;
  }
  get count(): number {
    return this.#basis.length;
  }
  get refusing(): boolean {
    return this.#refusedVersion !== undefined;
  }

  /** Names in the last response whose content replaced another one that the client had. */
  get replaced(): readonly string[] {
    return this.#replaced;
  }

  /** Names in the last response that the client did not have. */
  get added(): readonly string[] {
    return this.#added;
  }

  /** What the client holds as far as is known. */
  get #basis(): readonly CompiledResource[] {
    return (this.#sent ?? this.#acked)?.resources ?? [];
  }

  subscribe(change: SubscriptionChange, view: ResourceView, revision: number): RevisionRange | undefined {
    if (this.#subscription.empty) {
      this.#announced = this.#due = this.#owed = false;
      this.#sent = this.#acked = this.#refusedVersion = undefined;
      return undefined;
    }
    if (change.removed.length > 0 || change.wildcardEnded) {
      this.#sent = this.#stillCovered(this.#sent);
      this.#acked = this.#stillCovered(this.#acked);
    }
    if (change.added.length === 0 && !change.wildcardBegan) return undefined;
    this.#owed = true;
    return { first: Math.min(revision, ...this.#wanted(view).map((resource) => resource.revision)), last: revision };
  }

  announce(_names: ReadonlySet<string>, view: ResourceView): boolean {
    if (this.#subscription.empty) return false;
    const version = versionOfList(this.#wanted(view));
    if (version === this.#sent?.versionInfo || version === this.#refusedVersion) return false;
    this.#announced = true;
    return true;
  }

  release(): void {
    this.#due ||= this.#announced;
    this.#announced = false;
  }

  plan(view: ResourceView, { keepLost }: PlanOptions): ResponsePlan | undefined {
    const wanted = this.#wanted(view);
    const lost = keepLost ? this.#lost(view) : [];
    this.#keepsLost = lost.length > 0;
    const resources = lost.length === 0 ? wanted : byName([...wanted, ...lost]);
    const versionInfo = versionOfList(resources);
    const unchanged = versionInfo === this.#sent?.versionInfo && !this.#owed;
    if (!unchanged && versionInfo !== this.#refusedVersion) return { resources, versionInfo };
    this.#owed = false;
    this.#due = this.#keepsLost;
    return undefined;
  }

  /** Whether a name is wanted that the client was not sent: others may refer to it. */
  lacksWanted(view: ResourceView): boolean {
    const has = new Set(this.#basis.map((resource) => resource.name));
    return this.#wanted(view).some((resource) => !has.has(resource.name));
  }

  /** Whether the client holds something that the view has lost. */
  holdsLost(view: ResourceView): boolean {
    return this.#lost(view).length > 0;
  }

  sent(plan: ResponsePlan): void {
    const held = new Map(this.#basis.map((resource) => [resource.name, resource.version]));
    this.#replaced = plan.resources
      .filter(({ name, version }) => (held.get(name) ?? version) !== version)
      .map((resource) => resource.name);
    this.#added = plan.resources.filter(({ name }) => !held.has(name)).map((resource) => resource.name);
    this.#sent = plan;
    this.#owed = false;
    this.#due = this.#keepsLost;
  }

  acked(): void {
    this.#acked = this.#sent;
    this.#refusedVersion = undefined;
  }

  refused(plan: ResponsePlan): void {
    this.#refusedVersion = plan.versionInfo;
    this.#sent = undefined;
  }

  lost(): void {
    // The next response is the whole set anyway.
  }

  #wanted(view: ResourceView): readonly CompiledResource[] {
    const all = this.#subscription.wildcard ? view.resources(this.#typeUrl) : [];
    if (this.#subscription.names.size === 0) return all;
    const inAll = new Set(all.map((resource) => resource.name));
    const further: CompiledResource[] = [];
    for (const name of this.#subscription.names) {
      const resource = inAll.has(name) ? undefined : view.get(this.#typeUrl, name);
      if (resource !== undefined) further.push(resource);
    }
    return further.length === 0 ? all : byName([...all, ...further]);
  }

  /** A name that was given up is no part of the client's view any more. */
  #stillCovered(plan: ResponsePlan | undefined): ResponsePlan | undefined {
    if (plan === undefined) return undefined;
    const resources = plan.resources.filter(({ name, onDemand }) => this.#subscription.covers(name, onDemand));
    return { resources, versionInfo: versionOfList(resources) };
  }

  #lost(view: ResourceView): CompiledResource[] {
    return this.#basis.filter(
      ({ name, onDemand }) => view.get(this.#typeUrl, name) === undefined && this.#subscription.covers(name, onDemand),
    );
  }
}

function byName(resources: CompiledResource[]): CompiledResource[] {
  return resources.sort((a, b) => (a.name < b.name ? -1 : 1));
}
