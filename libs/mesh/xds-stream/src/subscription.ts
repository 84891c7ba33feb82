/** What a request changed. `added` and `removed` are names; "*" is not one of them. */
export interface SubscriptionChange {
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
export class Subscription {
  readonly #legacyWildcard: boolean;
  #names: ReadonlySet<string> = new Set();
  #wildcard = false;
  #everNamed = false;

  constructor(options: { readonly legacyWildcard: boolean }) {
    this.#legacyWildcard = options.legacyWildcard;
  }

  get names(): ReadonlySet<string> {
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
    return this.#names.has(name) || (this.#wildcard && !onDemand);
  }

  /** State of the world: each request carries the whole list. */
  replace(list: readonly string[]): SubscriptionChange {
    if (list.length > 0) this.#everNamed = true;
    const before = { names: this.#names, wildcard: this.#wildcard };
    const names = new Set(list);
    this.#wildcard = names.delete("*") || (list.length === 0 && this.#legacyWildcard && !this.#everNamed);
    this.#names = names;
    return {
      added: [...names].filter((name) => !before.names.has(name)),
      removed: [...before.names].filter((name) => !names.has(name)),
      wildcardBegan: this.#wildcard && !before.wildcard,
      wildcardEnded: before.wildcard && !this.#wildcard,
    };
  }
}
