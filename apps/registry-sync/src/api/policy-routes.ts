import { addRoute } from "@fairlead/http-api";
import { policyKey, policyKinds } from "@fairlead/model";
import { changeAnswerSchema, waitQuerySchema } from "@fairlead/registration";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { ConvergenceWaits } from "../convergence-waits.ts";
import type { Policies } from "../policies.ts";
import { withReport } from "./error-bodies.ts";
import { policyAnswer } from "./list-routes.ts";

const applyQuerySchema = z.strictObject({
  ...waitQuerySchema.shape,
  file: z
    .string()
    .max(1024)
    .regex(/^[\p{L}\p{N}\p{P}\p{S} ]*$/u, "a file name has no control characters")
    .default("")
    .describe("The name of the source, for messages and provenance."),
  dryRun: z.enum(["true", "false"]).default("false").describe("true: check and compare, change nothing."),
});

const policyParamsSchema = z.strictObject({
  kind: z.enum(policyKinds),
  namespace: z.string().min(1).max(253),
  name: z.string().min(1).max(253),
});

/** Bodies of policies reach the parser as text, also JSON, so that messages name the lines of the source. */
export function takePolicyText(api: FastifyInstance, maxBytes: number): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser(
    ["application/yaml", "text/yaml", "application/x-yaml", "text/x-yaml", "application/json"],
    { parseAs: "string", bodyLimit: maxBytes },
    (_request, body, done) => done(null, body),
  );
}

export function addPolicyRoutes(api: FastifyInstance, policies: Policies, waits: ConvergenceWaits): void {
  addRoute(api, {
    method: "PUT",
    path: "/v1/policies",
    summary: "Apply policies: all of the text or none.",
    description:
      "YAML of one or several documents (application/yaml), or JSON of one. Answers what happened to each object.",
    body: z.string({ error: "expected policies as application/yaml or application/json" }),
    query: applyQuerySchema,
    answer: changeAnswerSchema.extend({
      objects: z.array(
        z.object({
          kind: z.enum(policyKinds),
          namespace: z.string(),
          name: z.string(),
          outcome: z.enum(["created", "configured", "unchanged"]),
        }),
      ),
      dryRun: z.boolean(),
    }),
    formatError: withReport,
    handle: async ({ body, query, signal }) => {
      if (query.dryRun === "true") {
        const { objects, ...rest } = await policies.compare(body, query.file);
        return { ...rest, objects: [...objects], dryRun: true };
      }
      const { objects, ...rest } = await waits.run(query, signal, () => policies.apply(body, query.file));
      return { ...rest, objects: [...objects], dryRun: false };
    },
  });
  addRoute(api, {
    method: "GET",
    path: "/v1/policies/:kind/:namespace/:name",
    summary: "One policy.",
    params: policyParamsSchema,
    answer: policyAnswer,
    handle: async ({ params }) => await policies.find(policyKey(params)),
  });
  addRoute(api, {
    method: "DELETE",
    path: "/v1/policies/:kind/:namespace/:name",
    summary: "Remove a policy.",
    params: policyParamsSchema,
    query: waitQuerySchema,
    answer: changeAnswerSchema,
    formatError: withReport,
    handle: async ({ params, query, signal }) => await waits.run(query, signal, () => policies.remove(params)),
  });
}
