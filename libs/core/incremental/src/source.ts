import { isDeepStrictEqual } from "node:util";

/** Something that a computation may read: an input, an index over one, or another computation. Read by key. */
export type Source<Value> = Input<Value> | Index<Value> | Computation<Value>;

/** Facts from outside, one value a key; `Value` has `undefined` in it, for keys that nothing was set for. */
export interface Input<Value> {
  readonly kind: "input";
  readonly name: string;
  same(left: Value, right: Value): boolean;
}

/** The keys of an input's entries by what they have in common, sorted by code unit. It changes only when a key joins or leaves. */
export interface Index<Value> {
  readonly kind: "index";
  readonly name: string;
  /** Typed where it is made; an index is over entries of any type. */
  readonly input: Input<unknown>;
  readonly groupsOf: (value: unknown, key: string) => Iterable<string>;
  /** Never set: tells the type of what is read. */
  readonly value?: Value;
}

/** A pure function of what it reads. */
export interface Computation<Value> {
  readonly kind: "computation";
  readonly name: string;
  compute(reading: Reading, key: string, previous: Value | undefined): Value;
  same(left: Value, right: Value): boolean;
  /** Whether `settle` tells of each new value. */
  readonly isOutput: boolean;
}

/**
 * @param previous the value before this one, to fall back on where there is no good one now. A function that does must give the same
 * again when what it reads is the same and `previous` is what it gave.
 */
export type Compute<Value> = (reading: Reading, key: string, previous: Value | undefined) => Value;

/** How a computation reads; whatever it reads is recorded, and a change of it is what makes it run again. */
export interface Reading {
  /** @throws what the computation that is read threw */
  get<Value>(source: Source<Value>, key: string): Value;
  /** Keeps a computation going, without reading it: its changes are not this one's. */
  hold(computation: Computation<unknown>, key: string): void;
}

interface ComputationOptions<Value> {
  /** @default deep equality. What reads an equal value is not computed again. */
  readonly same?: (left: Value, right: Value) => boolean;
  /** @default false */
  readonly isOutput?: boolean;
}

export function input<Value>(name: string): Input<Value | undefined> {
  return { kind: "input", name, same: isDeepStrictEqual };
}

export function indexOf<Value>(
  name: string,
  over: Input<Value | undefined>,
  groupsOf: (value: Value, key: string) => Iterable<string>,
): Index<readonly string[]> {
  return { kind: "index", name, input: over, groupsOf: groupsOf as Index<unknown>["groupsOf"] };
}

export function computation<Value>(
  name: string,
  compute: Compute<Value>,
  { same = isDeepStrictEqual, isOutput = false }: ComputationOptions<Value> = {},
): Computation<Value> {
  return { kind: "computation", name, compute, same, isOutput };
}
