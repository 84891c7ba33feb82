import type { Provider } from "../provider.ts";
import type { CallCondition, CallTerm, ProviderTest } from "./rule.ts";
import { patternMatches } from "./value-match.ts";

/** What a condition says of one key. */
interface Pair {
  readonly key: string;
  readonly matches: string[];
  readonly mismatches: string[];
}

const between = /([&!=,\s]+)/;

/**
 * `method=find*,get*&host!=10.0.0.1`, one side of a rule.
 *
 * @returns what is wrong with it, as a text
 */
export function parsePairs(text: string): readonly Pair[] | string {
  const pairs = new Map<string, Pair>();
  let pair: Pair | undefined;
  let values: string[] | undefined;
  // Contents, and what stands between them; time goes with the length, whatever it is.
  const [first = "", ...rest] = text.split(between);
  const parts = first === "" ? rest : ["", first, ...rest];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const separator = parts[at]!.trim().split(/\s+/).at(-1);
    const content = parts[at + 1];
    if (content === "") break;
    switch (separator) {
      case "":
      case "&":
        pair = pairs.get(content!) ?? { key: content!, matches: [], mismatches: [] };
        pairs.set(content!, pair);
        values = undefined;
        break;
      case "=":
      case "!=":
        if (pair === undefined) return `${separator}${content} stands behind no key`;
        values = separator === "=" ? pair.matches : pair.mismatches;
        values.push(content!);
        break;
      case ",":
        if (values === undefined) return `,${content} stands behind no value`;
        values.push(content!);
        break;
      default:
        return `${separator} is no separator`;
    }
  }
  const lone = [...pairs.values()].find(({ matches, mismatches }) => matches.length + mismatches.length === 0);
  return lone === undefined ? [...pairs.values()] : `${lone.key} has no value`;
}

function valueOf(provider: Provider, key: string): string | undefined {
  switch (key) {
    case "host":
      return provider.address;
    case "port":
      return String(provider.port);
    case "address":
      return `${provider.address}:${provider.port}`;
    case "interface":
      return provider.interface;
    case "application":
      return provider.application;
    default:
      return provider.parameters.get(key);
  }
}

function pairMatches({ key, matches, mismatches }: Pair, provider: Provider): boolean {
  const value = valueOf(provider, key);
  if (value === undefined) return false;
  const isAny = (patterns: readonly string[]) =>
    patterns.some((pattern) => patternMatches(pattern, value) || (key === "address" && pattern === provider.address));
  return !isAny(mismatches) && (matches.length === 0 || isAny(matches));
}

/** The right side: which providers. @returns a text for what cannot be followed */
export function providerCondition(text: string): ProviderTest | string {
  const pairs = parsePairs(text);
  if (typeof pairs === "string") return pairs;
  const reference = pairs.flatMap(({ matches, mismatches }) => [...matches, ...mismatches]).find((value) => value.startsWith("$")); // prettier-ignore
  if (reference !== undefined) return `${reference} refers to the caller, which the mesh does not know where it routes`;
  return (provider) => pairs.every((pair) => pairMatches(pair, provider));
}

/** The left side: which calls. @returns a text for what cannot be followed */
export function callCondition(text: string): CallCondition | string {
  const pairs = parsePairs(text);
  if (typeof pairs === "string") return pairs;
  const terms: CallTerm[] = [];
  for (const { key, matches, mismatches } of pairs) {
    const values = [...matches, ...mismatches];
    if (values.some((value) => value.startsWith("$") || value.includes("~")))
      return `${key}: neither references nor ranges are followed on the side of the call`;
    const argument = /^arguments\b/.test(key);
    if (argument) return "arguments of calls are not read";
    const attachment = /^attachments\[(.+)\]$/.exec(key)?.[1];
    // Who calls a provider is always a consumer.
    if (key === "side" && matches.includes("consumer") && mismatches.length === 0) continue;
    const name = attachment === undefined ? callKey(key) : `attachment:${attachment.toLowerCase()}`;
    const isOfCall = name === "method" || attachment !== undefined;
    if (!isOfCall && values.some((value) => value.includes("*")))
      return `${key}: the caller is told apart by whole values only, not by patterns`;
    terms.push({ key: name, matches: matches.includes("*") ? [] : matches, mismatches });
  }
  return terms.filter(({ matches, mismatches }) => matches.length + mismatches.length > 0);
}

function callKey(key: string): string {
  return key === "address" ? "host" : key;
}
