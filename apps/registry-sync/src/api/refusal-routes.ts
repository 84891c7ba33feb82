import { addRoute } from "@fairlead/http-api";
import { refusalSchema } from "@fairlead/registration";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { RefusalHistory } from "../refusals/refusal-history.ts";

/** What proxies refuse, and what they did. */
export function addRefusalRoutes(api: FastifyInstance, refusals: Pick<RefusalHistory, "standing" | "ended">): void {
  addRoute(api, {
    method: "GET",
    path: "/v1/nacks",
    summary: "Configuration that proxies refused, the newest first: which resources, why, and what they come from.",
    description:
      "Those that stand, and up to 1000 that are over, as this registry-sync has heard of them since its start.",
    query: z.strictObject({
      standing: z
        .enum(["true", "false"])
        .optional()
        .describe("true: only those that stand. false: only those that are over."),
      node: z.string().max(255).optional().describe("Only those of this node."),
      limit: z.coerce.number().int().min(1).max(10_000).default(1000),
    }),
    answer: z.object({
      nacks: z.array(refusalSchema),
      standing: z.number().int().describe("How many stand, of all nodes."),
    }),
    handle: ({ query: { standing, node, limit } }) => {
      const now = refusals.standing;
      const nacks = [...(standing === "false" ? [] : now), ...(standing === "true" ? [] : refusals.ended)]
        .filter((refusal) => node === undefined || refusal.node === node)
        .slice(0, limit);
      return Promise.resolve({ nacks, standing: now.length });
    },
  });
}
