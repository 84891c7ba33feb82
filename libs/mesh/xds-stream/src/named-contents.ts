import type { CompiledResource, ResourceView } from "@fairlead/snapshot";
import type { Contents, PlanOptions, ResponsePlan } from "./contents.ts";
import { encodedSize } from "./encode-response.ts";
import type { RevisionRange } from "./revision-range.ts";
import { SetVersion } from "./set-version.ts";
import type { Subscription, SubscriptionChange } from "./subscription.ts";

/**
 * Endpoints, routes and all other types: a response carries what the client lacks (rule 57); deletion is not sent (56).
 *
 * A refused response may have one bad resource among good ones. Later changes are sent without the refused; once a refused
 * name got a new content that the client takes, the others of that response are tried again.
 */
export class NamedContents implements Contents {
  readonly #typeUrl: string;
  readonly #subscription: Subscription;
  readonly #held = new Map<string, CompiledResource>();
  readonly #heldVersion = new SetVersion();
  readonly #announced = new Set<string>();
  readonly #due = new Set<string>();
  readonly #owed = new Set<string>();
  /** Name to the version that the client refused. */
  readonly #refused = new Map<string, string>();

  constructor(typeUrl: string, subscription: Subscription) {
    this.#typeUrl = typeUrl;
    this.#subscription = subscription;
  }

  get due(): boolean {
    return this.#due.size > 0 || this.#owed.size > 0;
  }
  get hasWork(): boolean {
    return this.due || this.#announced.size > 0;
  }
  get owed(): boolean {
    return this.#owed.size > 0;
  }
  get count(): number {
    return this.#held.size;
  }
  get refusing(): boolean {
    return this.#refused.size > 0;
  }

  subscribe(change: SubscriptionChange, view: ResourceView, revision: number): RevisionRange | undefined {
    for (const name of change.removed) this.#forget(name);
    if (change.wildcardEnded) {
      for (const name of this.#held.keys()) if (!this.#subscription.names.has(name)) this.#forget(name);
    }
    const owed = change.added.map((name) => view.get(this.#typeUrl, name)).filter((resource) => resource !== undefined);
    if (change.wildcardBegan) owed.push(...view.resources(this.#typeUrl));
    if (owed.length === 0) return undefined;
    for (const resource of owed) this.#owed.add(resource.name);
    return { first: owed.reduce((first, resource) => Math.min(first, resource.revision), revision), last: revision };
  }

  /** The client is to get these again although it has them: it asked again for what it warms (rule 64). */
  owe(names: Iterable<string>): void {
    for (const name of names) if (this.#subscription.names.has(name)) this.#owed.add(name);
  }

  announce(names: ReadonlySet<string>, view: ResourceView): boolean {
    let found = false;
    for (const name of names) {
      if (!this.#lacks(name, view)) continue;
      this.#announced.add(name);
      found = true;
    }
    return found;
  }

  release(): void {
    for (const name of this.#announced) this.#due.add(name);
    this.#announced.clear();
  }

  plan(view: ResourceView, { maxBytes }: PlanOptions): ResponsePlan | undefined {
    const resources: CompiledResource[] = [];
    let bytes = 0;
    for (const name of new Set([...this.#owed, ...this.#due])) {
      const resource = view.get(this.#typeUrl, name);
      const owed = this.#owed.has(name) && resource !== undefined && this.#subscription.covers(name, resource.onDemand);
      if (resource === undefined || (!owed && !this.#lacks(name, view))) {
        this.#owed.delete(name);
        this.#due.delete(name);
        continue;
      }
      bytes += encodedSize(resource);
      if (bytes > maxBytes && resources.length > 0) break;
      resources.push(resource);
    }
    if (resources.length === 0) return undefined;
    return { resources, versionInfo: this.#versionWith(resources) };
  }

  sent({ resources }: ResponsePlan): void {
    for (const resource of resources) {
      this.#drop(resource.name);
      this.#held.set(resource.name, resource);
      this.#heldVersion.add(resource);
      this.#owed.delete(resource.name);
      this.#due.delete(resource.name);
      this.#announced.delete(resource.name);
    }
  }

  acked({ resources }: ResponsePlan): void {
    let taken = false;
    for (const { name } of resources) taken = this.#refused.delete(name) || taken;
    if (!taken) return;
    for (const name of this.#refused.keys()) this.#due.add(name);
    this.#refused.clear();
  }

  refused({ resources }: ResponsePlan): void {
    for (const resource of resources) {
      if (this.#held.get(resource.name) === resource) this.#drop(resource.name);
      if (this.#subscription.covers(resource.name, resource.onDemand))
        this.#refused.set(resource.name, resource.version);
    }
  }

  lost({ resources }: ResponsePlan): void {
    this.owe(resources.map((resource) => resource.name));
  }

  /** Whether the name is wanted, exists, and its content was neither sent nor refused. */
  #lacks(name: string, view: ResourceView): boolean {
    const resource = view.get(this.#typeUrl, name);
    if (resource === undefined) {
      // Deleted: its re-creation is sent again, whatever its content.
      this.#drop(name);
      this.#refused.delete(name);
      return false;
    }
    if (!this.#subscription.covers(name, resource.onDemand)) return false;
    return this.#held.get(name)?.version !== resource.version && this.#refused.get(name) !== resource.version;
  }

  #forget(name: string): void {
    this.#drop(name);
    this.#announced.delete(name);
    this.#due.delete(name);
    this.#owed.delete(name);
    this.#refused.delete(name);
  }

  #drop(name: string): void {
    const held = this.#held.get(name);
    if (held === undefined) return;
    this.#held.delete(name);
    this.#heldVersion.delete(held);
  }

  #versionWith(resources: readonly CompiledResource[]): string {
    const version = this.#heldVersion.copy();
    for (const resource of resources) {
      const held = this.#held.get(resource.name);
      if (held !== undefined) version.delete(held);
      version.add(resource);
    }
    return version.text;
  }
}
