import { createHash } from "node:crypto";

/** Cells of one version of a thing; passed by `postMessage`. */
export interface CommonCellShare {
  /** What it is about: the kind and name of a resource. */
  readonly about: string;
  /** Of its content: a change of it begins with fresh cells. */
  readonly version: string;
  /** In the order in which they were asked for. */
  readonly memories: readonly SharedArrayBuffer[];
}

/**
 * Cells that all threads write, with Atomics: for limits that count over all of them. All threads build the same from the same bytes, so
 * what is asked for first, second … while they do is the same thing in each.
 */
export interface CommonCells {
  /** What is asked for by `commonCells` meanwhile belongs to this version of this thing. */
  within<Result>(about: string, content: Uint8Array, build: () => Result): Result;
}

interface Scope {
  readonly about: string;
  readonly content: Uint8Array;
  readonly cells: (scope: Scope, count: number) => Int32Array;
  taken: number;
}

let current: Scope | undefined;

/** @returns zeros; of this thread alone where nothing is built for several */
export function commonCells(count: number): Int32Array {
  return current === undefined ? new Int32Array(count) : current.cells(current, count);
}

function within<Result>(scope: Scope, build: () => Result): Result {
  const before = current;
  current = scope;
  try {
    return build();
  } finally {
    current = before;
  }
}

const versionOf = (content: Uint8Array): string => createHash("sha256").update(content).digest("base64");

/** In the thread that controls the others, and builds first. */
export class CommonCellsOfControl implements CommonCells {
  readonly #known = new Map<string, { readonly version: string; readonly memories: SharedArrayBuffer[] }>();
  readonly #changed = new Set<string>();

  within<Result>(about: string, content: Uint8Array, build: () => Result): Result {
    return within({ about, content, taken: 0, cells: (scope, count) => this.#cells(scope, count) }, build);
  }

  /** What other threads do not have yet. */
  takeNew(): CommonCellShare[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed.map((about) => ({ about, ...this.#known.get(about)! }));
  }

  /** For a thread that begins. */
  all(): CommonCellShare[] {
    return [...this.#known].map(([about, known]) => ({ about, ...known }));
  }

  #cells(scope: Scope, count: number): Int32Array {
    const version = versionOf(scope.content);
    let known = this.#known.get(scope.about);
    if (known?.version !== version) {
      known = { version, memories: [] };
      this.#known.set(scope.about, known);
    }
    const memory = (known.memories[scope.taken++] ??= new SharedArrayBuffer(count * 4));
    this.#changed.add(scope.about);
    return new Int32Array(memory);
  }
}

/** In one of the other threads. */
export class CommonCellsOfThread implements CommonCells {
  readonly #known = new Map<string, CommonCellShare>();

  add(shares: Iterable<CommonCellShare>): void {
    for (const share of shares) this.#known.set(share.about, share);
  }

  within<Result>(about: string, content: Uint8Array, build: () => Result): Result {
    return within({ about, content, taken: 0, cells: (scope, count) => this.#cells(scope, count) }, build);
  }

  /** What the control thread has not built is this thread's own. */
  #cells(scope: Scope, count: number): Int32Array {
    const known = this.#known.get(scope.about);
    const memory = known?.version === versionOf(scope.content) ? known.memories[scope.taken++] : undefined;
    return memory?.byteLength === count * 4 ? new Int32Array(memory) : new Int32Array(count);
  }
}
