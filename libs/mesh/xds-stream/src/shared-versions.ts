import { createHash, randomInt } from "node:crypto";

const randomSeed = () => randomInt(1, 2 ** 31);
/** Other ones in each process: a client cannot choose names that make two contents look alike. */
const seeds = [randomSeed(), randomSeed(), randomSeed()] as const;

/** Sets of equal content, as long as somebody holds one. */
const known = new Map<string, WeakRef<SharedVersions>>();
const forgotten = new FinalizationRegistry<string>((key) => {
  if (known.get(key)?.deref() === undefined) known.delete(key);
});

/** Mixes all of a text into 32 bits (the steps of MurmurHash3, a character at a time). */
function mixed(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function digestOf(name: string, version: string): readonly [number, number] {
  const bytes = createHash("sha256").update(name).update("\0").update(version).digest();
  return [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
}

/**
 * Names and their versions; never altered. There is one object per content in the process: streams that hold the same
 * share it, so that a stream costs a reference, whatever the size of the mesh, and a change that thousands of streams take
 * costs one copy.
 */
export class SharedVersions {
  static readonly empty = new SharedVersions(new Map(), [0, 0, 0], [0, 0]);

  readonly #versions: ReadonlyMap<string, string>;
  /** Sums over the members, so that a change of one costs one. By these an equal content is found. */
  readonly #sums: readonly [number, number, number];
  /** As `#sums`, of SHA-256: equal in every process. */
  readonly #digest: readonly [number, number];

  private constructor(
    versions: ReadonlyMap<string, string>,
    sums: readonly [number, number, number],
    digest: readonly [number, number],
  ) {
    this.#versions = versions;
    this.#sums = sums;
    this.#digest = digest;
  }

  get size(): number {
    return this.#versions.size;
  }

  has(name: string): boolean {
    return this.#versions.has(name);
  }

  get(name: string): string | undefined {
    return this.#versions.get(name);
  }

  names(): Iterable<string> {
    return this.#versions.keys();
  }

  entries(): Iterable<[string, string]> {
    return this.#versions.entries();
  }

  /** Equal for equal content, on every gateway; 16 hex digits. */
  get text(): string {
    return this.#digest.map((sum) => sum.toString(16).padStart(8, "0")).join("");
  }

  /** @param changes name to version; undefined = without the name. @returns the set with all of them */
  with(changes: ReadonlyMap<string, string | undefined>): SharedVersions {
    const sums: [number, number, number] = [...this.#sums];
    let { size } = this;
    let isOther = false;
    const count = (name: string, version: string, sign: 1 | -1) => {
      size += sign;
      const text = `${name}\0${version}`;
      for (const lane of [0, 1, 2] as const) sums[lane] = (sums[lane] + sign * mixed(text, seeds[lane])) >>> 0;
    };
    for (const [name, version] of changes) {
      const last = this.#versions.get(name);
      if (last === version) continue;
      isOther = true;
      if (last !== undefined) count(name, last, -1);
      if (version !== undefined) count(name, version, 1);
    }
    if (!isOther) return this;
    if (size === 0) return SharedVersions.empty;
    const key = `${sums.join()},${size}`;
    return known.get(key)?.deref() ?? this.#make(changes, sums, key);
  }

  #make(
    changes: ReadonlyMap<string, string | undefined>,
    sums: readonly [number, number, number],
    key: string,
  ): SharedVersions {
    const versions = new Map(this.#versions);
    const digest: [number, number] = [...this.#digest];
    const count = (name: string, version: string, sign: 1 | -1) => {
      const [high, low] = digestOf(name, version);
      digest[0] = (digest[0] + sign * high) >>> 0;
      digest[1] = (digest[1] + sign * low) >>> 0;
    };
    for (const [name, version] of changes) {
      const last = versions.get(name);
      if (last !== undefined) count(name, last, -1);
      if (version === undefined) {
        versions.delete(name);
        continue;
      }
      versions.set(name, version);
      count(name, version, 1);
    }
    const made = new SharedVersions(versions, sums, digest);
    known.set(key, new WeakRef(made));
    forgotten.register(made, key);
    return made;
  }
}

/** `with` for names alone: their version is empty. */
export function namesChanged(
  names: SharedVersions,
  change: { readonly added: Iterable<string>; readonly removed: Iterable<string> },
): SharedVersions {
  const changes = new Map<string, string | undefined>();
  for (const name of change.removed) changes.set(name, undefined);
  for (const name of change.added) changes.set(name, "");
  return names.with(changes);
}
