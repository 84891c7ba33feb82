import { FairleadError } from "@fairlead/errors";
import { addRoute } from "@fairlead/http-api";
import { policyKey, policyKinds } from "@fairlead/model";
import {
  changeAnswerSchema,
  policyTextOf,
  previewedObjectSchema,
  previewSchema,
  waitQuerySchema,
} from "@fairlead/registration";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { ConvergenceWaits } from "../convergence-waits.ts";
import type { Policies, PreviewedChange } from "../policies.ts";
import { withReport } from "./error-bodies.ts";
import { policyAnswer } from "./list-routes.ts";

const dryRunSchema = z
  .enum(["true", "false"])
  .default("false")
  .describe("true: change nothing; answer what would change in the mesh, and for which proxies.");
const applyQuerySchema = z.strictObject({
  ...waitQuerySchema.shape,
  file: z
    .string()
    .max(1024)
    .regex(/^[\p{L}\p{N}\p{P}\p{S} ]*$/u, "a file name has no control characters")
    .default("")
    .describe("The name of the source, for messages and provenance."),
  dryRun: dryRunSchema,
});

const policyParamsSchema = z.strictObject({
  kind: z.enum(policyKinds),
  namespace: z.string().min(1).max(253),
  name: z.string().min(1).max(253),
});

const contentTypes = ["application/yaml", "text/yaml", "application/x-yaml", "text/x-yaml", "application/json"];

/** Bodies of policies reach the parser as text, also JSON, so that messages name the lines of the source. */
export function takePolicyText(api: FastifyInstance): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser(contentTypes, { parseAs: "buffer" }, (_request, body, done) => {
    const read = policyTextOf(body as Buffer);
    if ("text" in read) return done(null, read.text);
    done(new FairleadError("FL_REQUEST_MALFORMED", `line ${read.brokenLine} of the policies is not UTF-8`));
  });
}

function previewAnswer({ revision, objects, preview }: PreviewedChange) {
  return { revision, objects: [...objects], dryRun: true, preview };
}

export function addPolicyRoutes(
  api: FastifyInstance,
  policies: Policies,
  waits: ConvergenceWaits,
  maxBytes: number,
): void {
  addRoute(api, {
    method: "PUT",
    path: "/v1/policies",
    summary: "Apply policies: all of the text or none.",
    description:
      "YAML of one or several documents (application/yaml), or JSON of one. Answers what happened to each object.",
    accepts: { maxBytes, contentTypes },
    body: z.string({ error: "expected policies as application/yaml or application/json" }),
    query: applyQuerySchema,
    answer: changeAnswerSchema.extend({
      objects: z.array(previewedObjectSchema),
      dryRun: z.boolean(),
      preview: previewSchema.optional().describe("With ?dryRun=true."),
    }),
    formatError: withReport,
    handle: async ({ body, query, signal }) => {
      if (query.dryRun === "true") return previewAnswer(await policies.previewApply(body, query.file, signal));
      const { objects, ...rest } = await waits.run(query, signal, () => policies.apply(body, query.file, signal));
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
    query: z.strictObject({ ...waitQuerySchema.shape, dryRun: dryRunSchema }),
    answer: changeAnswerSchema.extend({
      objects: z.array(previewedObjectSchema).optional().describe("With ?dryRun=true."),
      dryRun: z.boolean(),
      preview: previewSchema.optional().describe("With ?dryRun=true."),
    }),
    formatError: withReport,
    handle: async ({ params, query, signal }) => {
      if (query.dryRun === "true") return previewAnswer(await policies.previewRemove(params, signal));
      return { ...(await waits.run(query, signal, () => policies.remove(params))), dryRun: false };
    },
  });
}
