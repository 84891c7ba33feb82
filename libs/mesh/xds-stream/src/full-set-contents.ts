import type { CompiledResource, ResourceView } from "@fairlead/snapshot";
import type { Contents, PlanOptions, ResponsePlan, SentChange, SubscribeContext } from "./contents.ts";
import type { RevisionRange } from "./revision-range.ts";
import { versionOfList } from "./set-version.ts";
import { sharedList } from "./shared-list.ts";
import type { Subscription, SubscriptionChange } from "./subscription.ts";

type List = readonly CompiledResource[];

/**
 * State of the world, listeners and clusters: each response is all that the client shall have; absence is deletion (rule 55).
 *
 * Of a refused response, what its reason names is replaced by the content that the client took last. When it names none, the
 * whole set is not sent again until it changes.
 */
export class FullSetContents implements Contents {
  readonly #typeUrl: string;
  readonly #subscription: Subscription;
  #announced = false;
  #due = false;
  #owed = false;
  /** What the client has or is about to have; undefined when it refused the last response: it may hold half of it. */
  #sent: List | undefined;
  /** What it is known to have. */
  #acked: List | undefined;
  #refusedVersion: string | undefined;
  /** Of what was wanted when the last response was planned; that one may have had more. */
  #wantedVersion = "";
  /** Name to the version that is refused, for those that a reason named. */
  #refused: ReadonlyMap<string, string> = new Map();
  /** The last plan keeps what the view has lost: the removal is still due. */
  #keepsLost = false;

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
  get version(): string {
    return versionOfList(this.#basis);
  }
  get refusing(): boolean {
    return this.#refusedVersion !== undefined || this.#refused.size > 0;
  }

  /** What the client holds as far as is known. */
  get #basis(): List {
    return this.#sent ?? this.#acked ?? [];
  }

  subscribe(change: SubscriptionChange, { view, revision }: SubscribeContext): RevisionRange | undefined {
    if (this.#subscription.empty) {
      this.#announced = this.#due = this.#owed = false;
      this.#sent = this.#acked = this.#refusedVersion = undefined;
      this.#refused = new Map();
      return undefined;
    }
    if (change.removed.length > 0 || change.wildcardEnded) {
      this.#sent = this.#stillCovered(this.#sent);
      this.#acked = this.#stillCovered(this.#acked);
      this.#forgive(view);
    }
    if (change.added.length === 0 && !change.wildcardBegan) return undefined;
    this.#owed = true;
    const wanted = this.#wanted(view);
    return { first: wanted.reduce((first, resource) => Math.min(first, resource.revision), revision), last: revision };
  }

  announce(names: ReadonlySet<string>, view: ResourceView): boolean {
    if (this.#subscription.empty) return false;
    if ([...this.#refused.keys()].some((name) => names.has(name))) this.#forgive(view);
    const version = versionOfList(this.#wanted(view));
    if (version === this.#sentVersion || version === this.#refusedVersion) return false;
    this.#announced = true;
    return true;
  }

  release(): void {
    this.#due ||= this.#announced;
    this.#announced = false;
  }

  plan(view: ResourceView, { keepLost }: PlanOptions): ResponsePlan | undefined {
    this.#forgive(view);
    const wanted = this.#wanted(view);
    this.#wantedVersion = versionOfList(wanted);
    const lost = keepLost ? this.#lost(view) : [];
    this.#keepsLost = lost.length > 0;
    const resources = lost.length === 0 ? wanted : byName([...wanted, ...lost]);
    const versionInfo = versionOfList(resources);
    const unchanged = versionInfo === this.#sentVersion && !this.#owed;
    if (!unchanged && versionInfo !== this.#refusedVersion)
      return { resources: sharedList(resources), removed: [], missing: [], versionInfo };
    this.#owed = false;
    this.#due = this.#keepsLost;
    return undefined;
  }

  get #sentVersion(): string | undefined {
    return this.#sent === undefined ? undefined : versionOfList(this.#sent);
  }

  sent({ resources }: ResponsePlan): SentChange {
    const held = new Map(this.#basis.map((resource) => [resource.name, resource.version]));
    const replaced = resources.filter(({ name, version }) => (held.get(name) ?? version) !== version);
    const added = resources.filter(({ name }) => !held.has(name));
    this.#sent = resources;
    this.#owed = false;
    this.#due = this.#keepsLost;
    return { added: added.map((resource) => resource.name), replaced: replaced.map((resource) => resource.name) };
  }

  acked(): void {
    this.#acked = this.#sent;
    this.#refusedVersion = undefined;
  }

  refused({ resources, versionInfo }: ResponsePlan, names: readonly string[], view: ResourceView): void {
    if (this.#subscription.empty) return;
    this.#sent = undefined;
    if (names.length === resources.length) {
      // When another set is wanted by now, that one is sent.
      if (versionOfList(this.#wanted(view)) === this.#wantedVersion) this.#refusedVersion = versionInfo;
      else this.#due = true;
      return;
    }
    const bad = new Set(names);
    const had = new Map(this.#acked?.map((resource) => [resource.name, resource.version]));
    const refused = new Map(this.#refused);
    for (const { name, version } of resources) {
      if (bad.has(name)) refused.set(name, version);
      // The rest is news, and has not arrived for sure.
      else if (had.get(name) !== version) this.#due = true;
    }
    this.#refused = refused;
  }

  lost(): void {
    // The next response is the whole set anyway.
  }

  owe(): void {
    // Nothing warms with listeners and clusters.
  }

  holds(name: string): boolean {
    return this.#basis.some((resource) => resource.name === name);
  }

  lacksWanted(view: ResourceView): boolean {
    const has = new Set(this.#basis.map((resource) => resource.name));
    return this.#wanted(view).some((resource) => !has.has(resource.name));
  }

  holdsLost(view: ResourceView): boolean {
    return this.#lost(view).length > 0;
  }

  held(): Iterable<readonly [string, string]> {
    return this.#basis.map((resource) => [resource.name, resource.version]);
  }

  refusals(): Iterable<readonly [string, string]> {
    return this.#refused.entries();
  }

  #wanted(view: ResourceView): List {
    const wanted = this.#subscribed(view);
    if (this.#refused.size === 0) return wanted;
    const taken = new Map(this.#acked?.map((resource) => [resource.name, resource]));
    return wanted.flatMap((resource) => {
      if (this.#refused.get(resource.name) !== resource.version) return [resource];
      const last = taken.get(resource.name);
      return last === undefined ? [] : [last];
    });
  }

  #subscribed(view: ResourceView): List {
    const all = this.#subscription.wildcard ? view.resources(this.#typeUrl) : [];
    if (this.#subscription.size === 0) return all;
    const inAll = new Set(all.map((resource) => resource.name));
    const further: CompiledResource[] = [];
    for (const name of this.#subscription.names()) {
      const resource = inAll.has(name) ? undefined : view.get(this.#typeUrl, name);
      if (resource !== undefined) further.push(resource);
    }
    return further.length === 0 ? all : byName([...all, ...further]);
  }

  /** A refusal ends with the content that it is of. */
  #forgive(view: ResourceView): void {
    if (this.#refused.size === 0) return;
    const stays = ([name, version]: readonly [string, string]) =>
      view.get(this.#typeUrl, name)?.version === version && this.#subscription.covers(name, false);
    this.#refused = new Map([...this.#refused].filter(stays));
  }

  /** A name that was given up is no part of the client's view any more. */
  #stillCovered(list: List | undefined): List | undefined {
    return list?.filter(({ name, onDemand }) => this.#subscription.covers(name, onDemand));
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
