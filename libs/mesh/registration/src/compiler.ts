import { z } from "zod";
import { rejectedObjectSchema } from "./preview.ts";

/** GET /v1/compiler */
export const compilerSchema = z.object({
  revision: z.number().int().describe("The newest revision of the catalogue."),
  active: z.boolean().describe("Whether a config-compiler is active; others stand by."),
  activeForMs: z.number().optional(),
  compiled: z
    .object({
      compiler: z.string().describe("Which config-compiler it was."),
      revision: z.number().int(),
      atMs: z.number().describe("In ms since 1970."),
    })
    .optional()
    .describe("The last commit. Not there before the first, and while the bus is away."),
  rejected: z
    .array(rejectedObjectSchema)
    .optional()
    .describe(
      "Objects that cannot be compiled now; what they had compiled to before stays in force. Not there where that is not known.",
    ),
  rejectedRevision: z
    .number()
    .int()
    .optional()
    .describe("The revision that `rejected` is of: an older one while the newest is looked at."),
});
export type CompilerStatus = z.output<typeof compilerSchema>;
