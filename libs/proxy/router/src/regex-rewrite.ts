import { linearRegex } from "./linear-regex.ts";
import { matchBudget } from "./regex/bounded-match.ts";
import { invalidRoute } from "./route-error.ts";

/**
 * Replaces every match, as RE2's GlobalReplace.
 *
 * @param substitution `\0` to `\9` are groups, `\\` is a backslash
 * @returns a function that throws MatchTooLong
 * @throws FairleadError FL_ROUTE_INVALID
 */
export function compileRegexRewrite(pattern: string, substitution: string, where: string): (text: string) => string {
  const regex = linearRegex(pattern, false, `${where}.pattern`);
  const render = compileSubstitution(substitution, `${where}.substitution`);
  return (text) => {
    let result = "";
    let copiedTo = 0;
    let lastEnd = -1;
    const budget = matchBudget();
    for (let from = 0; from <= text.length;) {
      const found = regex.exec(text, from, budget);
      if (found === undefined) break;
      const [start = 0, end = 0] = found;
      // An empty match right behind the last one is none; without a step forward it would be found for ever.
      if (end === start && end === lastEnd) {
        from++;
        continue;
      }
      result += text.slice(copiedTo, start) + render(text, found);
      copiedTo = end;
      lastEnd = end;
      from = end === start ? end + 1 : end;
    }
    return result + text.slice(copiedTo);
  };
}

function compileSubstitution(substitution: string, where: string): (text: string, groups: Int32Array) => string {
  const parts: (string | number)[] = [];
  for (const [part] of substitution.matchAll(/\\.?|[^\\]+/g)) {
    if (!part.startsWith("\\")) parts.push(part);
    else if (/^\\\d$/.test(part)) parts.push(Number(part[1]));
    else if (part === "\\\\") parts.push("\\");
    else throw invalidRoute(where, `${part} is neither a group (\\0 to \\9) nor \\\\`);
  }
  const group = (text: string, groups: Int32Array, number: number): string => {
    const start = groups[number * 2] ?? -1;
    const end = groups[number * 2 + 1] ?? -1;
    return start === -1 || end === -1 ? "" : text.slice(start, end);
  };
  return (text, groups) => parts.map((part) => (typeof part === "string" ? part : group(text, groups, part))).join("");
}
