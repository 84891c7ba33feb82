import { createHash } from "node:crypto";
import { compareText } from "./compare-text.ts";

/** The scope of nodes that have not said what they call. */
export const everythingId = "everything";

/** @param interfaces lower-case */
export function scopeIdOf(interfaces: ReadonlySet<string>): string {
  if (interfaces.size === 0) return everythingId;
  const sorted = [...interfaces].toSorted(compareText).join("\n");
  return createHash("sha256").update(sorted).digest("hex").slice(0, 16);
}
