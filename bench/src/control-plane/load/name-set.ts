import { encodeKnown, encodeNames } from "./variant.ts";

/** The newest version of each resource of a type, as delta tells it. */
export class Versions {
  readonly #byName = new Map<string, string>();
  #generation = 0;

  /** Grows with each change. */
  get generation(): number {
    return this.#generation;
  }

  get(name: string): string | undefined {
    return this.#byName.get(name);
  }

  set(name: string, version: string): void {
    if (this.#byName.get(name) === version) return;
    this.#byName.set(name, version);
    this.#generation += 1;
  }
}

/** Names of resources, as requests carry them. One for all proxies of equal view. */
export class NameSet {
  readonly names: readonly string[];
  readonly encoded: Buffer;
  readonly #known = new Map<Versions, { readonly generation: number; readonly encoded: Buffer }>();

  constructor(names: readonly string[]) {
    this.names = names;
    this.encoded = encodeNames(names);
  }

  /** What a client that holds these resources says on a new delta stream. */
  known(versions: Versions): Buffer {
    const last = this.#known.get(versions);
    if (last?.generation === versions.generation) return last.encoded;
    const held = this.names.map((name) => [name, versions.get(name) ?? ""] as const);
    const encoded = encodeKnown(new Map(held));
    this.#known.set(versions, { generation: versions.generation, encoded });
    return encoded;
  }
}
