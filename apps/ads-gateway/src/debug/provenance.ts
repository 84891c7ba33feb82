import type { ProvenanceEntry } from "@fairlead/snapshot";
import { z } from "zod";

/** Where a resource comes from. */
export const provenance = z
  .object({ kind: z.string(), key: z.string(), file: z.string().optional(), line: z.number().optional() })
  .describe("What it was compiled from; file and line for policies.");

export function provenanceAnswer(entries: readonly ProvenanceEntry[]): z.input<typeof provenance>[] {
  return entries.map(({ kind, key, file, line }) => ({
    kind,
    key,
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  }));
}
