import { createHash } from "node:crypto";
import { CommonGauges } from "./common-gauges.ts";

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
 * Cells that all threads have in common: for limits that count over all of them. All threads build the same from the same bytes, so
 * what is asked for first, second … while they do is the same thing in each.
 */
export interface CommonCells {
  /** What is asked for by `commonCells` and `commonGauges` meanwhile belongs to this version of this thing. */
  within<Result>(about: string, content: Uint8Array, build: () => Result): Result;
}

interface Scope {
  readonly about: string;
  readonly content: Uint8Array;
  readonly cells: (scope: Scope, count: number) => Int32Array;
  readonly gauges: (scope: Scope, count: number) => CommonGauges;
  taken: number;
}

let current: Scope | undefined;

/** To be written with Atomics. @returns zeros; of this thread alone where nothing is built for several */
export function commonCells(count: number): Int32Array {
  return current === undefined ? new Int32Array(count) : current.cells(current, count);
}

/** @returns zeros; of this thread alone where nothing is built for several */
export function commonGauges(count: number): CommonGauges {
  return current === undefined ? new CommonGauges(new Int32Array(count), count, 0) : current.gauges(current, count);
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

interface Known {
  readonly version: string;
  readonly memories: SharedArrayBuffer[];
  readonly gauges: Set<SharedArrayBuffer>;
}

/** In the thread that controls the others, and builds first. It is thread 0. */
export class CommonCellsOfControl implements CommonCells {
  readonly #threads: number;
  readonly #known = new Map<string, Known>();
  readonly #changed = new Set<string>();

  /** @param threads with this one */
  constructor(threads: number) {
    this.#threads = threads;
  }

  within<Result>(about: string, content: Uint8Array, build: () => Result): Result {
    const cells = (scope: Scope, count: number): Int32Array => new Int32Array(this.#memory(scope, count));
    const gauges = (scope: Scope, count: number): CommonGauges => {
      const memory = this.#memory(scope, count * this.#threads);
      this.#known.get(scope.about)?.gauges.add(memory);
      return new CommonGauges(new Int32Array(memory), count, 0);
    };
    return within({ about, content, taken: 0, cells, gauges }, build);
  }

  /** A thread has died: what its gauges had is no more. */
  endOf(thread: number): void {
    for (const { gauges } of this.#known.values()) {
      for (const memory of gauges) {
        const bytes = memory.byteLength / this.#threads;
        new Uint8Array(memory, thread * bytes, bytes).fill(0);
      }
    }
  }

  /** What other threads do not have yet. */
  takeNew(): CommonCellShare[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed.map((about) => shareOf(about, this.#known.get(about)!));
  }

  /** For a thread that begins. */
  all(): CommonCellShare[] {
    return [...this.#known].map(([about, known]) => shareOf(about, known));
  }

  #memory(scope: Scope, count: number): SharedArrayBuffer {
    const version = versionOf(scope.content);
    let known = this.#known.get(scope.about);
    if (known?.version !== version) {
      known = { version, memories: [], gauges: new Set() };
      this.#known.set(scope.about, known);
    }
    this.#changed.add(scope.about);
    return (known.memories[scope.taken++] ??= new SharedArrayBuffer(count * 4));
  }
}

function shareOf(about: string, { version, memories }: Known): CommonCellShare {
  return { about, version, memories };
}

/** In one of the other threads. */
export class CommonCellsOfThread implements CommonCells {
  readonly #thread: number;
  readonly #known = new Map<string, CommonCellShare>();

  /** @param thread its index */
  constructor(thread: number) {
    this.#thread = thread;
  }

  add(shares: Iterable<CommonCellShare>): void {
    for (const share of shares) this.#known.set(share.about, share);
  }

  within<Result>(about: string, content: Uint8Array, build: () => Result): Result {
    // What the control thread has not built is this thread's own.
    const cells = (scope: Scope, count: number): Int32Array => {
      const memory = this.#memory(scope);
      return memory?.byteLength === count * 4 ? new Int32Array(memory) : new Int32Array(count);
    };
    const gauges = (scope: Scope, count: number): CommonGauges => {
      const memory = this.#memory(scope);
      const fits = memory !== undefined && memory.byteLength > this.#thread * count * 4;
      return fits
        ? new CommonGauges(new Int32Array(memory), count, this.#thread)
        : new CommonGauges(new Int32Array(count), count, 0);
    };
    return within({ about, content, taken: 0, cells, gauges }, build);
  }

  #memory(scope: Scope): SharedArrayBuffer | undefined {
    const known = this.#known.get(scope.about);
    return known?.version === versionOf(scope.content) ? known.memories[scope.taken++] : undefined;
  }
}
