import { z } from "zod";

/** Where a resource comes from: an object of the catalogue, a policy with its file and line. */
export const originSchema = z.object({
  kind: z.string().describe("policy, service, instance, node or subscription."),
  key: z.string(),
  file: z.string().describe("Of a policy, as its applier named it; empty for others."),
  line: z.number(),
});
export type Origin = z.output<typeof originSchema>;

/** A response that a proxy refused (NACK). */
export const refusalSchema = z.object({
  node: z.string(),
  gateway: z.string(),
  type: z.string().describe("cds, eds, lds, rds."),
  resources: z.array(z.string()).describe("Names of those that it refuses, at most 100."),
  reason: z.string().describe("The proxy's words."),
  nonce: z.string(),
  version: z.string().describe("Of the refused response."),
  sinceMs: z.number().describe("When it was refused, in ms since 1970, by the gateway's clock."),
  endedMs: z
    .number()
    .optional()
    .describe("When it was over: the proxy took what replaced it, or is gone. Not there while it stands."),
  firstRevision: z.number().int().describe("The first registry revision that the refused response carried."),
  lastRevision: z.number().int(),
  objects: z.array(originSchema).describe("What the refused resources were compiled from, policies first."),
});
export type Refusal = z.output<typeof refusalSchema>;

const maxShown = 3;

function shown(words: readonly string[]): string {
  const more = words.length > maxShown ? ` and ${words.length - maxShown} more` : "";
  return words.slice(0, maxShown).join(", ") + more;
}

/** `reviews.yaml:4 VirtualService/default/reviews`; without a file only the key. */
export function originText({ key, file, line }: Origin): string {
  return file === "" ? key : `${file}:${line} ${key}`;
}

/** The objects that people can do something about: policies; where there is none, what else there is. */
export function originsText(objects: readonly Origin[]): string {
  const policies = objects.filter(({ kind }) => kind === "policy");
  return shown((policies.length === 0 ? objects : policies).map(originText));
}

/** `NACKed: <reason> (outbound; from reviews.yaml:4 VirtualService/default/reviews)` */
export function refusalText({ reason, resources, objects }: Pick<Refusal, "reason" | "resources" | "objects">): string {
  const facts = [
    ...(resources.length === 0 ? [] : [shown(resources)]),
    ...(objects.length === 0 ? [] : [`from ${originsText(objects)}`]),
  ];
  return `NACKed: ${reason}${facts.length === 0 ? "" : ` (${facts.join("; ")})`}`;
}
