import { addRoute } from "@fairlead/http-api";
import { callExplanationSchema, explainQuerySchema } from "@fairlead/registration";
import type { FastifyInstance } from "fastify";
import type { CallExplainer } from "../live/call-explainer.ts";

/** Which way a call would take. */
export function addExplainRoutes(api: FastifyInstance, explainer: Pick<CallExplainer, "explain">): void {
  addRoute(api, {
    method: "GET",
    path: "/v1/explain",
    summary: "Which virtual host, route, clusters and endpoints a call would take, and where each comes from.",
    description: "By the configuration that is live, with the proxy's own matcher. Nothing is called.",
    query: explainQuerySchema,
    answer: callExplanationSchema,
    handle: async ({ query: { interface: authority, header: headers, ...call }, signal }) =>
      await explainer.explain({ ...call, authority, headers }, signal),
  });
}
