import { linearRegex } from "./linear-regex.ts";
import { invalidRoute } from "./route-error.ts";

/**
 * Replaces every match, as RE2's GlobalReplace.
 *
 * @param substitution `\0` to `\9` are groups, `\\` is a backslash
 * @throws FairleadError FL_ROUTE_INVALID
 */
export function compileRegexRewrite(pattern: string, substitution: string, where: string): (text: string) => string {
  const regex = linearRegex(pattern, "g", `${where}.pattern`);
  const render = compileSubstitution(substitution, `${where}.substitution`);
  return (text) => {
    let result = "";
    let copiedTo = 0;
    let lastEnd = -1;
    for (let from = 0; from <= text.length;) {
      const match = regex.exec(text, from);
      if (match === null) break;
      const end = match.index + (match[0]?.length ?? 0);
      // An empty match right behind the last one is none; without a step forward it would be found for ever.
      if (end === match.index && end === lastEnd) {
        from++;
        continue;
      }
      result += text.slice(copiedTo, match.index) + render(match);
      copiedTo = end;
      lastEnd = end;
      from = end === match.index ? end + 1 : end;
    }
    return result + text.slice(copiedTo);
  };
}

function compileSubstitution(text: string, where: string): (groups: readonly (string | undefined)[]) => string {
  const parts: (string | number)[] = [];
  for (const [part] of text.matchAll(/\\.?|[^\\]+/g)) {
    if (!part.startsWith("\\")) parts.push(part);
    else if (/^\\\d$/.test(part)) parts.push(Number(part[1]));
    else if (part === "\\\\") parts.push("\\");
    else throw invalidRoute(where, `${part} is neither a group (\\0 to \\9) nor \\\\`);
  }
  return (groups) => parts.map((part) => (typeof part === "string" ? part : (groups[part] ?? ""))).join("");
}
