import type { CompiledResource, ResourceView } from "@fairlead/snapshot";
import type { ResponsePlan, SentChange } from "./contents.ts";
import { SharedVersions } from "./shared-versions.ts";
import type { Subscription } from "./subscription.ts";
import { WorkList } from "./work-list.ts";

/** A content that the client refused. */
interface RefusedContent {
  readonly version: string;
  /** The client's reason named it; else it may only have been in bad company. */
  readonly named: boolean;
}

/** What is held after a list was sent to one who held the key. */
const afterList = new WeakMap<SharedVersions, WeakMap<readonly CompiledResource[], SharedVersions>>();

const noRefusals: ReadonlyMap<string, RefusedContent> = new Map();

/**
 * What a client holds of a type that is sent piece by piece. Per stream there are only references: names and versions are
 * shared by all streams that hold the same.
 *
 * A refused response may have one bad resource among good ones. What its reason names is held back; the rest is sent again.
 * When it names none, all of it is held back until one of them got a new content that the client takes: then the others
 * are tried again.
 */
export abstract class HeldContents {
  protected readonly typeUrl: string;
  protected readonly work = new WorkList();
  readonly #subscription: Subscription;
  #held = SharedVersions.empty;
  #refused: ReadonlyMap<string, RefusedContent> = noRefusals;

  constructor(typeUrl: string, subscription: Subscription) {
    this.typeUrl = typeUrl;
    this.#subscription = subscription;
  }

  get due(): boolean {
    return this.work.due;
  }
  get hasWork(): boolean {
    return this.work.hasWork;
  }
  get owed(): boolean {
    return this.work.owed;
  }
  get count(): number {
    return this.#held.size;
  }
  get version(): string {
    return this.#held.text;
  }
  get refusing(): boolean {
    return this.#refused.size > 0;
  }

  release(): void {
    this.work.release();
  }

  owe(names: Iterable<string>): void {
    for (const name of names) if (this.#subscription.covers(name, false)) this.work.owe(name);
  }

  holds(name: string): boolean {
    return this.#held.has(name);
  }

  held(): Iterable<readonly [string, string]> {
    return this.#held.entries();
  }

  *refusals(): Iterable<readonly [string, string]> {
    for (const [name, { version }] of this.#refused) yield [name, version];
  }

  lacksWanted(view: ResourceView): boolean {
    for (const name of this.work.names()) {
      const resource = view.get(this.typeUrl, name);
      if (resource !== undefined && !this.#held.has(name) && this.covers(resource)) return true;
    }
    return false;
  }

  acked({ resources }: ResponsePlan): void {
    this.forgive(resources.map((resource) => resource.name));
  }

  protected covers({ name, onDemand }: CompiledResource): boolean {
    return this.#subscription.covers(name, onDemand);
  }

  /** Whether the client wants the resource, and its content was neither sent nor refused. */
  protected isNews(resource: CompiledResource): boolean {
    if (!this.covers(resource)) return false;
    const { name, version } = resource;
    return this.#held.get(name) !== version && this.#refused.get(name)?.version !== version;
  }

  /** What is held once these were sent. @param resources a shared list: the next stream with the same costs a look-up */
  protected versionsWith(resources: readonly CompiledResource[], removed: readonly string[]): SharedVersions {
    if (removed.length > 0) return this.#changed(resources, removed);
    let results = afterList.get(this.#held);
    if (results === undefined) afterList.set(this.#held, (results = new WeakMap()));
    let result = results.get(resources);
    if (result === undefined) results.set(resources, (result = this.#changed(resources, removed)));
    return result;
  }

  #changed(resources: readonly CompiledResource[], removed: readonly string[]): SharedVersions {
    const changes = new Map<string, string | undefined>();
    for (const name of removed) changes.set(name, undefined);
    for (const { name, version } of resources) changes.set(name, version);
    return this.#held.with(changes);
  }

  protected note({ resources, removed }: ResponsePlan): SentChange {
    const added: string[] = [];
    const replaced: string[] = [];
    for (const { name, version } of resources) {
      const held = this.#held.get(name);
      if (held === undefined) added.push(name);
      else if (held !== version) replaced.push(name);
      this.work.delete(name);
    }
    for (const name of removed) this.work.delete(name);
    this.forgive(removed);
    this.#held = this.versionsWith(resources, removed);
    return { added, replaced };
  }

  /** @param versionAfter of what the client holds then: undefined = nothing that would have to be taken back */
  protected refuse(
    { resources }: ResponsePlan,
    { names, view, versionAfter }: { names: readonly string[]; view: ResourceView; versionAfter: "" | undefined },
  ): void {
    const isNamed = names.length < resources.length;
    const isCurrent = ({ name, version }: CompiledResource) => view.get(this.typeUrl, name)?.version === version;
    // When one was replaced meanwhile, it may have been the bad one.
    const isRetried = !isNamed && !resources.every(isCurrent);
    const bad = new Set(isRetried ? [] : names);
    const refused = new Map(this.#refused);
    const held = new Map<string, string | undefined>();
    for (const resource of resources) {
      const { name, version } = resource;
      if (!this.covers(resource)) continue;
      if (this.#held.get(name) === version) held.set(name, versionAfter);
      if (!bad.has(name)) this.work.makeDue(name);
      else if (isCurrent(resource)) refused.set(name, { version, named: isNamed });
    }
    this.#held = this.#held.with(held);
    this.#refused = refused.size === 0 ? noRefusals : refused;
  }

  /** What the client holds without our doing, or in a content that nobody knows. */
  protected assume(versions: SharedVersions): void {
    this.#held = this.#held.size === 0 ? versions : this.#held.with(new Map(versions.entries()));
  }

  protected forget(names: readonly string[]): void {
    if (names.length === 0) return;
    for (const name of names) this.work.delete(name);
    this.#held = this.#held.with(new Map(names.map((name) => [name, undefined])));
    this.forgive(names);
  }

  /** Their refusal does not count any more: they are taken, or gone. What was refused in their company is tried again. */
  protected forgive(names: readonly string[]): void {
    if (!names.some((name) => this.#refused.has(name))) return;
    const left = new Map(this.#refused);
    let wasUnnamed = false;
    for (const name of names) {
      wasUnnamed ||= left.get(name)?.named === false;
      left.delete(name);
    }
    for (const [name, { named }] of this.#refused) {
      if (named || !wasUnnamed || !left.delete(name)) continue;
      this.work.makeDue(name);
    }
    this.#refused = left.size === 0 ? noRefusals : left;
  }

  /** Forgets what the subscription does not cover any more. @param names where to look; undefined = everywhere */
  protected forgetUncovered(view: ResourceView, names?: readonly string[]): void {
    const known = names ?? new Set([...this.#held.names(), ...this.work.names(), ...this.#refused.keys()]);
    const covered = (name: string) => this.#subscription.covers(name, view.get(this.typeUrl, name)?.onDemand ?? false);
    this.forget([...known].filter((name) => !covered(name)));
  }

  protected get subscription(): Subscription {
    return this.#subscription;
  }
}
