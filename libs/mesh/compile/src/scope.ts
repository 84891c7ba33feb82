import { createHash } from "node:crypto";
import { anyViewer, type Viewer } from "./viewer.ts";

/** The scope of nodes that have not said what they call, and that no policy tells from others. */
export const everythingId = "everything";

/** What nodes of one scope have in common. */
export interface Scope {
  readonly viewer: Viewer;
  /** What they see, in lower case, sorted: names, and patterns of a Sidecar. Undefined = everything. */
  readonly names: readonly string[] | undefined;
}

const nothing = "-";

/** The scope as a key: empty for everything. */
export function scopeKey({ viewer, names }: Scope): string {
  const lines = names === undefined ? "" : names.length === 0 ? nothing : names.join("\n");
  return viewer === anyViewer ? lines : `${viewer}\n\n${lines}`;
}

export function scopeOf(key: string): Scope {
  const end = key.indexOf("\n\n");
  const lines = end === -1 ? key : key.slice(end + 2);
  const names = lines === "" ? undefined : lines === nothing ? [] : lines.split("\n");
  return { viewer: end === -1 ? anyViewer : key.slice(0, end), names };
}

/** What proxies and tables call it. */
export function scopeIdOf(key: string): string {
  return key === "" ? everythingId : createHash("sha256").update(key).digest("hex").slice(0, 16);
}
