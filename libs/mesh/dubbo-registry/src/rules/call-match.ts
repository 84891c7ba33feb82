import { globMatches } from "./value-match.ts";

/** As a VirtualService matches texts. */
export interface TextMatch {
  readonly kind: "exact" | "prefix" | "glob" | "present";
  /** With `*` where it is a glob. */
  readonly value: string;
}

/** What a route matches: all of it. Empty: every call. */
export interface CallMatch {
  readonly path?: TextMatch;
  readonly headers: Readonly<Record<string, TextMatch>>;
  /** Of the caller's node. */
  readonly labels: Readonly<Record<string, string>>;
}

export const everyCall: CallMatch = { headers: {}, labels: {} };

export function textMatch(pattern: string): TextMatch {
  const star = pattern.indexOf("*");
  if (star === -1) return { kind: "exact", value: pattern };
  if (star === pattern.length - 1) return { kind: "prefix", value: pattern.slice(0, -1) };
  return { kind: "glob", value: pattern };
}

function takes(match: TextMatch, value: string): boolean {
  switch (match.kind) {
    case "present":
      return true;
    case "prefix":
      return value.startsWith(match.value);
    case "glob":
      return globMatches(match.value, value);
    case "exact":
      return value === match.value;
  }
}

/** @returns "never" when no text is both, "unknown" when no match says so */
function bothTexts(a: TextMatch | undefined, b: TextMatch | undefined): TextMatch | undefined | "never" | "unknown" {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.kind === "present") return b;
  if (b.kind === "present") return a;
  if (a.kind === "exact") return takes(b, a.value) ? a : "never";
  if (b.kind === "exact") return takes(a, b.value) ? b : "never";
  if (a.kind === "prefix" && b.kind === "prefix") {
    if (a.value.startsWith(b.value)) return a;
    return b.value.startsWith(a.value) ? b : "never";
  }
  return a.kind === b.kind && a.value === b.value ? a : "unknown";
}

/** Calls that both match. */
export function bothMatch(a: CallMatch, b: CallMatch): CallMatch | "never" | "unknown" {
  const path = bothTexts(a.path, b.path);
  if (path === "never" || path === "unknown") return path;
  const headers: Record<string, TextMatch> = { ...a.headers };
  for (const [name, match] of Object.entries(b.headers)) {
    const both = bothTexts(headers[name], match);
    if (both === "never" || both === "unknown") return both;
    headers[name] = both!;
  }
  for (const [name, value] of Object.entries(b.labels)) if ((a.labels[name] ?? value) !== value) return "never";
  return { ...(path === undefined ? {} : { path }), headers, labels: { ...a.labels, ...b.labels } };
}
