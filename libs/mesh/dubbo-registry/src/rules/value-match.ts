import { z } from "zod";
import { type HostAndPort, addressTest } from "./address-test.ts";

/** `find*`, `*Order`, `find*All`; without a `*` the text itself. */
export function globMatches(pattern: string, value: string): boolean {
  if (pattern === "*") return true;
  const parts = pattern.split("*");
  if (parts.length === 1) return pattern === value;
  const [first, last] = [parts[0]!, parts.at(-1)!];
  if (value.length < first.length + last.length || !value.startsWith(first) || !value.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = value.indexOf(part, at);
    if (found === -1 || found + part.length > value.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}

/** Also `10~20`, `10~` and `~20`: whole numbers between. */
export function patternMatches(pattern: string, value: string): boolean {
  const range = /^(\d*)~(\d*)$/.exec(pattern);
  if (range === null || (range[1] === "" && range[2] === "")) return globMatches(pattern, value);
  if (!/^\d+$/.test(value)) return false;
  const number = Number(value);
  return (range[1] === "" || number >= Number(range[1])) && (range[2] === "" || number <= Number(range[2]));
}

/** One way of several, as rules of version 3 have it; the first that is given counts. */
export const stringMatchSchema = z.object({
  exact: z.coerce.string().optional(),
  prefix: z.coerce.string().optional(),
  regex: z.coerce.string().optional(),
  noempty: z.coerce.string().optional(),
  empty: z.coerce.string().optional(),
  wildcard: z.coerce.string().optional(),
});
export type StringMatch = z.output<typeof stringMatchSchema>;

const maxValueLength = 256;

/**
 * Whether a pattern of somebody else's, run on each provider, cannot take long: the engine goes back as often as alternatives and repetitions
 * multiply. With two repetitions, and one group that is not repeated, that is by the square of the value's length at most.
 */
function isQuick(regex: string): boolean {
  const count = (part: RegExp) => regex.match(part)?.length ?? 0;
  return regex.length <= 256 && count(/[*+?]/g) <= 2 && count(/\(/g) <= 1 && !/[{}]|\)[*+?]|\\\d/.test(regex);
}

/** @returns undefined for one that says nothing, or has a pattern that is none or may take long */
export function stringTest(match: StringMatch): ((value: string | undefined) => boolean) | undefined {
  const { exact, prefix, regex, noempty, empty, wildcard } = match;
  if (exact !== undefined) return (value) => value === exact;
  if (prefix !== undefined) return (value) => value?.startsWith(prefix) === true;
  if (wildcard !== undefined) return (value) => value !== undefined && globMatches(wildcard, value);
  if (noempty !== undefined) return (value) => value !== undefined && value !== "";
  if (empty !== undefined) return (value) => value === undefined || value === "";
  if (regex === undefined || !isQuick(regex)) return undefined;
  try {
    const pattern = new RegExp(`^(?:${regex})$`, "u");
    return (value) => value !== undefined && value.length <= maxValueLength && pattern.test(value);
  } catch {
    return undefined;
  }
}

export const addressMatchSchema = z.object({
  wildcard: z.string().optional(),
  cird: z.string().optional(),
  exact: z.string().optional(),
});

/** @returns undefined for one that says nothing, or names no address */
export function addressMatchTest(
  match: z.output<typeof addressMatchSchema>,
): ((provider: HostAndPort) => boolean) | undefined {
  const text = match.wildcard ?? match.cird ?? match.exact;
  return text === undefined ? undefined : addressTest(text);
}
