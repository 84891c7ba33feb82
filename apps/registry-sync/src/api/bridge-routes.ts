import { addRoute } from "@fairlead/http-api";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { BridgeStatus } from "../bridge/registry-bridge.ts";

const bridgeAnswer = z.object({
  registry: z.string(),
  owner: z
    .boolean()
    .describe("Whether this process is the one that reads and writes it; of another one nothing more is known here."),
  connected: z.boolean(),
  providers: z.number().describe("In the mesh."),
  unusable: z.number().describe("Providers whose names, versions or addresses the mesh does not allow."),
  leftOut: z
    .number()
    .describe("Providers, services and rules that are beyond the limits of one registry, as it was read last."),
  asked: z
    .number()
    .describe("Instances that do not say what they serve: what the mesh had of them stays, and they are asked again."),
  rules: z.number().describe("Configurators, condition and tag routers that the mesh follows."),
  ruleProblems: z
    .array(
      z.object({
        source: z.string().describe("The rule."),
        text: z.string().describe("What of it the mesh does not do, and why."),
      }),
    )
    .readonly(),
});

/** Registries outside the mesh, as this process sees them. */
export function addBridgeRoutes(api: FastifyInstance, statuses: () => readonly BridgeStatus[]): void {
  addRoute(api, {
    method: "GET",
    path: "/v1/bridges",
    summary: "Bridged registries, and what of their rules the mesh does not follow.",
    answer: z.object({ bridges: z.array(bridgeAnswer) }),
    handle: async () => ({
      bridges: statuses().map((status) => ({ ...status, ruleProblems: [...status.ruleProblems] })),
    }),
  });
}
