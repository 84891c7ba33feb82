import { globPrefix } from "./resource-name.ts";
import { namesChanged, SharedVersions } from "./shared-versions.ts";
import type { TypeRequest } from "./type-request.ts";

/** What a request changed. `added` and `removed` are names; "*" is not one of them. */
export interface SubscriptionChange {
  /** Names that are to be answered. In delta also those that were subscribed before: the client may have forgotten them (rule 45). */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly wildcardBegan: boolean;
  readonly wildcardEnded: boolean;
}

/**
 * What one client wants of one type on one stream: names, all there is, or both.
 *
 * "*" asks for all; so does a list that is empty from the first request on, for types with a legacy wildcard (rules 35 to
 * 40). Once a name was given, an empty list means nothing. A name stays subscribed whether or not it exists.
 */
export abstract class Subscription {
  protected readonly legacyWildcard: boolean;
  #names = SharedVersions.empty;
  /** What stands before the `*` of each glob among the names (rule 71). */
  #globs: readonly string[] = [];
  #wildcard = false;

  constructor(options: { readonly legacyWildcard: boolean }) {
    this.legacyWildcard = options.legacyWildcard;
  }

  /** Takes in what a request says. */
  abstract apply(request: Pick<TypeRequest, "names" | "unsubscribed">): SubscriptionChange;

  has(name: string): boolean {
    return this.#names.has(name);
  }

  get size(): number {
    return this.#names.size;
  }

  names(): Iterable<string> {
    return this.#names.names();
  }

  /** Another object for other names. */
  get nameSet(): object {
    return this.#names;
  }

  get wildcard(): boolean {
    return this.#wildcard;
  }

  get empty(): boolean {
    return !this.#wildcard && this.#names.size === 0;
  }

  /** Whether a resource of this name is wanted. */
  covers(name: string, onDemand: boolean): boolean {
    if (this.#names.has(name)) return true;
    return !onDemand && (this.#wildcard || this.#globs.some((prefix) => name.startsWith(prefix)));
  }

  /** Whether exactly these are wanted by name; false where only a closer look would tell. */
  protected isSetOf(names: readonly string[]): boolean {
    return sets.get(names) === this.#names;
  }

  protected set(
    change: { readonly added: readonly string[]; readonly removed: readonly string[] },
    wildcard: boolean,
  ): SubscriptionChange {
    const before = this.#wildcard;
    this.#names = this.#names.size === 0 ? setOf(change.added) : namesChanged(this.#names, change);
    this.#wildcard = wildcard;
    if (this.#globs.length > 0 || change.added.some((name) => globPrefix(name) !== undefined)) {
      this.#globs = [...this.names()].map(globPrefix).filter((prefix) => prefix !== undefined);
    }
    return { ...change, wildcardBegan: wildcard && !before, wildcardEnded: before && !wildcard };
  }
}

const nothingChanged = { added: [], removed: [] } as const;
/** Shorter lists are hashed as fast as they are found. */
const minShared = 16;
/** By the list, which many streams may share. */
const sets = new WeakMap<readonly string[], SharedVersions>();

function setOf(names: readonly string[]): SharedVersions {
  if (names.length < minShared) return namesChanged(SharedVersions.empty, { added: names, removed: [] });
  let set = sets.get(names);
  if (set === undefined) sets.set(names, (set = namesChanged(SharedVersions.empty, { added: names, removed: [] })));
  return set;
}

/** State of the world: each request carries the whole list. */
export class SotwSubscription extends Subscription {
  #everNamed = false;

  override apply({ names: list }: Pick<TypeRequest, "names">): SubscriptionChange {
    if (list.length > 0) this.#everNamed = true;
    if (this.isSetOf(list)) {
      return this.set(nothingChanged, this.legacyWildcard && !this.#everNamed);
    }
    const names = new Set(list);
    const wildcard = names.delete("*") || (this.legacyWildcard && !this.#everNamed);
    const isFirst = this.size === 0 && names.size === list.length;
    const added = isFirst ? list : [...names].filter((name) => !this.has(name));
    const removed = names.size - added.length === this.size ? [] : [...this.names()].filter((name) => !names.has(name));
    return this.set({ added, removed }, wildcard);
  }
}

/** Delta: each request carries what changes. */
export class DeltaSubscription extends Subscription {
  #first = true;

  override apply({ names, unsubscribed = [] }: Pick<TypeRequest, "names" | "unsubscribed">): SubscriptionChange {
    const legacy = this.#first && this.legacyWildcard && names.length === 0;
    this.#first = false;
    const added = new Set(names);
    const removed = new Set(unsubscribed);
    const begins = added.delete("*");
    const ends = removed.delete("*");
    // A legacy wildcard lasts beside names until it is given up by name (rule 38).
    const wildcard = begins || (!ends && (legacy || this.wildcard));
    // In both lists: subscribed. A name that is not subscribed cannot be given up (rule 46).
    const gone = [...removed].filter((name) => !added.has(name) && this.has(name));
    return this.set({ added: added.size === names.length ? names : [...added], removed: gone }, wildcard);
  }
}
