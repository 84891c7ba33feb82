import { z } from "zod";
import { originSchema } from "./refusal.ts";

/** What becomes of a policy object, and how its text differs. */
export const previewedObjectSchema = z.object({
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  outcome: z.enum(["created", "configured", "unchanged", "deleted"]),
  diff: z.string().optional().describe("Of its YAML, as `diff -u` writes it. Not there when nothing changes."),
});
export type PreviewedObject = z.output<typeof previewedObjectSchema>;

/** One xDS resource that would be another, and who holds it. */
export const previewedResourceSchema = z.object({
  change: z.enum(["added", "changed", "removed"]),
  type: z.string().describe("cds, eds, lds, rds."),
  name: z.string().describe("As proxies see it; several resources may have the same, each for other proxies."),
  key: z.string().describe("Unique in the mesh."),
  audience: z.number().int().describe("Index in `audiences`."),
  diff: z
    .string()
    .optional()
    .describe("Of its JSON, as `diff -u` writes it. Left out where the answer would be too long."),
});
export type PreviewedResource = z.output<typeof previewedResourceSchema>;

const audienceSchema = z.object({
  nodes: z.array(z.string()).describe("Ids of registered nodes."),
  unregistered: z.boolean().describe("Also proxies that nobody registered: they see everything."),
});
/** Proxies that hold the same resources. */
export type Audience = z.output<typeof audienceSchema>;

/** An object that the compiler does not take; what it had compiled to before stays in force. */
export const rejectedObjectSchema = originSchema.extend({ code: z.string(), message: z.string() });
export type RejectedObject = z.output<typeof rejectedObjectSchema>;

/** What a change of policies would do to the mesh. */
export const previewSchema = z.object({
  resources: z.array(previewedResourceSchema),
  audiences: z.array(audienceSchema),
  rejected: z.array(rejectedObjectSchema.extend({ already: z.boolean().describe("It is rejected now, too.") })),
  diffsLeftOut: z.number().int().describe("Resources without their diff, as the answer would be too long."),
});
export type Preview = z.output<typeof previewSchema>;
