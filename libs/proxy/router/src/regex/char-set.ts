/** A set of UTF-16 code units. Below 256, which is what HTTP carries, a look-up; above, one test. */
export interface CharSet {
  readonly low: Uint8Array;
  readonly high: (code: number) => boolean;
}

const never = (): boolean => false;

export function setOf(contains: (code: number) => boolean, high: (code: number) => boolean = contains): CharSet {
  const low = new Uint8Array(256);
  for (let code = 0; code < 256; code++) if (contains(code)) low[code] = 1;
  return { low, high };
}

export function rangeSet(from: number, to: number): CharSet {
  return setOf((code) => code >= from && code <= to);
}

export function charsOf(text: string): CharSet {
  const codes = new Set(Array.from(text, (char) => char.charCodeAt(0)));
  return setOf((code) => codes.has(code), never);
}

export function union(sets: readonly CharSet[]): CharSet {
  return setOf(
    (code) => sets.some((set) => set.low[code] === 1),
    (code) => sets.some((set) => set.high(code)),
  );
}

export function negate(set: CharSet): CharSet {
  return setOf(
    (code) => set.low[code] === 0,
    (code) => !set.high(code),
  );
}

/** The set with the other case of each of its characters. */
export function foldCase(set: CharSet): CharSet {
  const has = (code: number): boolean => (code < 256 ? set.low[code] === 1 : set.high(code));
  return setOf((code) => {
    if (has(code)) return true;
    const char = String.fromCharCode(code);
    const lower = char.toLowerCase();
    const upper = char.toUpperCase();
    return (lower.length === 1 && has(lower.charCodeAt(0))) || (upper.length === 1 && has(upper.charCodeAt(0)));
  });
}

const digit = rangeSet(48, 57);
const lower = rangeSet(97, 122);
const upper = rangeSet(65, 90);
const alpha = union([lower, upper]);
const alnum = union([alpha, digit]);

export const word = union([alnum, charsOf("_")]);

/** RE2's `\d \s \w`: ASCII. */
export const perlClasses: Readonly<Record<string, CharSet>> = { d: digit, s: charsOf("\t\n\f\r "), w: word };

/** `[[:alpha:]]` and the others of POSIX: ASCII. */
export const posixClasses: Readonly<Record<string, CharSet>> = {
  alnum,
  alpha,
  ascii: rangeSet(0, 127),
  blank: charsOf("\t "),
  cntrl: union([rangeSet(0, 31), rangeSet(127, 127)]),
  digit,
  graph: rangeSet(33, 126),
  lower,
  print: rangeSet(32, 126),
  punct: union([rangeSet(33, 47), rangeSet(58, 64), rangeSet(91, 96), rangeSet(123, 126)]),
  space: charsOf("\t\n\v\f\r "),
  upper,
  word,
  xdigit: union([digit, rangeSet(97, 102), rangeSet(65, 70)]),
};

/** `\p{name}`: a general category or a script. @returns undefined for a name that Unicode does not have */
export function unicodeClass(name: string): CharSet | undefined {
  if (name === "Any") return rangeSet(0, 0xffff);
  for (const property of [`gc=${name}`, `sc=${name}`]) {
    try {
      const one = new RegExp(`^\\p{${property}}$`, "u");
      return setOf((code) => one.test(String.fromCharCode(code)));
    } catch {
      // Not of this kind.
    }
  }
  return undefined;
}
