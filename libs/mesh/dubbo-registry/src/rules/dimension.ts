import { bothMatch, type CallMatch, everyCall, textMatch } from "./call-match.ts";
import type { CallCondition, CallTerm } from "./rule.ts";

/** One of the cases of a dimension: the first whose alternatives match a call is the call's. */
export interface Case<Value> {
  readonly alternatives: readonly CallMatch[];
  readonly value: Value;
}

/** Tells calls apart in one respect. The last case matches all of them. */
export type Dimension<Value> = readonly Case<Value>[];

const labelOf: ReadonlyMap<string, string> = new Map([
  ["application", "fairlead.io/app"],
  ["host", "fairlead.io/address"],
]);
/** Of the caller's node: what can be the name of one. */
const labelName = /^[A-Za-z0-9]([A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?$/;
const maxAlternatives = 64;
const tooMany = `it has more than ${maxAlternatives} alternatives`;
const maxLabelLength = 63;

function alternativesOf({ key }: CallTerm, values: readonly string[], name: string): readonly CallMatch[] | string {
  if (values.length > maxAlternatives) return tooMany;
  if (key === "method") return values.map((value) => ({ ...everyCall, path: textMatch(`/${name}/${value}`) }));
  if (key.startsWith("attachment:")) {
    const header = key.slice("attachment:".length);
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/.test(header) || header === "__proto__")
      return `${header} cannot be the name of a header`;
    return values.map((value) => ({ ...everyCall, headers: { [header]: textMatch(value) } }));
  }
  const label = labelOf.get(key) ?? key;
  if (!labelName.test(label)) return `${key} cannot be the name of a label`;
  const long = values.find((value) => value.length > maxLabelLength);
  if (long !== undefined) return `${key}: ${long} is too long to be a label`;
  return values.map((value) => ({ ...everyCall, labels: { [label]: value } }));
}

/**
 * Whether a condition is true of a call.
 *
 * @param name of the interface that is called
 * @returns a text when matches cannot tell
 */
export function dimensionOf(condition: CallCondition, name: string): Dimension<boolean> | string {
  const cases: Case<boolean>[] = [];
  let positive: readonly CallMatch[] = [everyCall];
  for (const term of condition) {
    const not = alternativesOf(term, term.mismatches, name);
    if (typeof not === "string") return not;
    if (not.length > 0) cases.push({ alternatives: not, value: false });
    if (term.matches.length === 0) continue;
    const any = alternativesOf(term, term.matches, name);
    if (typeof any === "string") return any;
    const both = allPairs(positive, any);
    if (typeof both === "string") return both;
    positive = both;
  }
  if (positive.length > 0) cases.push({ alternatives: positive, value: true });
  if (!positive.includes(everyCall)) cases.push({ alternatives: [everyCall], value: false });
  return cases;
}

/** Calls that one of each matches. @returns a text when matches cannot say that */
export function allPairs(some: readonly CallMatch[], others: readonly CallMatch[]): readonly CallMatch[] | string {
  const found: CallMatch[] = [];
  for (const a of some) {
    for (const b of others) {
      const both = a === everyCall ? b : bothMatch(a, b);
      if (both === "unknown") return "its pattern together with another rule's is more than a route can match";
      if (both !== "never") found.push(both);
      if (found.length > maxAlternatives) return tooMany;
    }
  }
  return found;
}
