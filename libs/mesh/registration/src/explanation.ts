import { z } from "zod";
import { originSchema } from "./refusal.ts";

const headerPattern = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*[=:]\s*(.*)$/;

/** `x-user=1` or `x-user: 1` */
const headerText = z
  .string()
  .max(8192)
  .regex(headerPattern, "expected name=value")
  .transform((text): readonly [name: string, value: string] => {
    const [, name = "", value = ""] = headerPattern.exec(text) ?? [];
    return [name.toLowerCase(), value];
  });

const oneOrMany = z.union([headerText.transform((header) => [header]), z.array(headerText).max(100)]);

/** The query of GET /v1/explain. */
export const explainQuerySchema = z.strictObject({
  interface: z.string().min(1).max(253).describe("What is called: the Host of the call."),
  path: z
    .string()
    .max(8192)
    .regex(/^\/\P{Cc}*$/u, "a path begins with /")
    .default("/")
    .describe("With its query."),
  method: z
    .string()
    .regex(/^[A-Z]{1,20}$/, "a method is in capitals")
    .default("GET"),
  header: oneOrMany.default([]).describe("`name=value`; several times for several headers."),
  node: z
    .string()
    .max(255)
    .default("")
    .describe(
      "The node whose proxy is called through. Not given: a proxy that nobody registered, which sees everything.",
    ),
});

const clusterSchema = z.object({
  name: z.string(),
  known: z.boolean().describe("false: the proxy does not have the cluster, and answers 503."),
  objects: z.array(originSchema).describe("What the cluster was compiled from."),
  endpoints: z.array(
    z.object({
      address: z.string(),
      port: z.number(),
      weight: z.number(),
      priority: z.number().describe("Those of the lowest number get all calls while they are healthy."),
    }),
  ),
  endpointObjects: z.array(originSchema).describe("What its endpoints were compiled from."),
});
export type ExplainedCluster = z.output<typeof clusterSchema>;

const takenSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("none"), status: z.number().describe("What the proxy answers."), reason: z.string() }),
  z.object({
    kind: z.literal("route"),
    virtualHost: z.string(),
    route: z.string().describe("Its name; empty for one without."),
    matchedBy: z.string().describe("How the path is matched, such as `prefix /`."),
    action: z.discriminatedUnion("kind", [
      z.object({
        kind: z.literal("forward"),
        timeoutMs: z.number().describe("0 = none."),
        clusters: z.array(z.object({ name: z.string(), weight: z.number() })).readonly(),
        sent: z.object({ authority: z.string(), path: z.string() }).describe("As the application behind gets them."),
      }),
      z.object({ kind: z.literal("redirect"), status: z.number(), location: z.string() }),
      z.object({ kind: z.literal("direct"), status: z.number() }),
    ]),
  }),
]);

/** What GET /v1/explain answers. */
export const callExplanationSchema = z.object({
  node: z.string(),
  registered: z.boolean(),
  scope: z.string().describe("`everything`, or the id of what the node's subscriptions let it see."),
  revision: z.number().int().describe("Of the configuration that is live."),
  listener: z
    .array(originSchema)
    .optional()
    .describe(
      "What its outbound listener was compiled from. Not there: it has none, an Envoy or gRPC client brings its own.",
    ),
  taken: takenSchema,
  routeObjects: z.array(originSchema).describe("What the virtual host was compiled from, policies first."),
  clusters: z.array(clusterSchema),
});
export type CallExplanation = z.output<typeof callExplanationSchema>;
