import { createHash } from "node:crypto";
import { anyViewer, type Viewer } from "./viewer.ts";

/** The scope of nodes that have not said what they call, and that no policy tells from others. */
export const everythingId = "everything";

/** What nodes of one scope have in common. */
export interface Scope {
  readonly viewer: Viewer;
  /** What they see, in lower case, sorted. Undefined = everything. */
  readonly names: readonly string[] | undefined;
  /** Whether calls to a host that nobody knows get 502, as a Sidecar asks; otherwise 404. */
  readonly refusesUnknown: boolean;
}

const nothing = "-";
const refusing = "!";

/** The scope as a key: empty for everything. */
export function scopeKey({ viewer, names, refusesUnknown }: Scope): string {
  const lines = [
    ...(refusesUnknown ? [refusing] : []),
    ...(names === undefined ? [] : names.length === 0 ? [nothing] : names),
  ].join("\n");
  return viewer === anyViewer ? lines : `${viewer}\n\n${lines}`;
}

export function scopeOf(key: string): Scope {
  const end = key.indexOf("\n\n");
  const all = (end === -1 ? key : key.slice(end + 2)).split("\n").filter((line) => line !== "");
  const refusesUnknown = all[0] === refusing;
  const names = refusesUnknown ? all.slice(1) : all;
  return {
    viewer: end === -1 ? anyViewer : key.slice(0, end),
    names: names.length === 0 ? undefined : names[0] === nothing ? [] : names,
    refusesUnknown,
  };
}

/** What proxies and tables call it. */
export function scopeIdOf(key: string): string {
  return key === "" ? everythingId : createHash("sha256").update(key).digest("hex").slice(0, 16);
}
