import { addRoute } from "@fairlead/http-api";
import { convergenceReportSchema, waitQuerySchema } from "@fairlead/registration";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { ConvergenceTracker } from "../convergence/convergence-tracker.ts";
import type { MeshConvergence } from "../convergence/mesh-convergence.ts";
import type { ConvergenceWaits } from "../convergence-waits.ts";
import { mergeProxies } from "../gateway-proxies.ts";
import { withReport } from "./error-bodies.ts";

const gatewaySchema = z.object({
  id: z.string(),
  debugUrl: z.string(),
  revision: z.number().describe("The newest revision that it has applied; 0 = none yet."),
  connected: z.number().describe("Proxies connected to it."),
  lastHeardMs: z.number().describe("How long ago it was heard."),
});

/** How far changes have got: revisions, gateways, proxies. */
export function addConvergenceRoutes(
  api: FastifyInstance,
  tracker: ConvergenceTracker,
  meshConvergence: MeshConvergence,
  waits: ConvergenceWaits,
): void {
  addRoute(api, {
    method: "GET",
    path: "/v1/revisions/:revision/convergence",
    summary: "Whether all proxies have a revision, and who has not.",
    params: z.strictObject({ revision: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER) }),
    query: waitQuerySchema,
    answer: convergenceReportSchema,
    formatError: withReport,
    handle: async ({ params: { revision }, query, signal }) => {
      const { convergence } = await waits.run(query, signal, () => Promise.resolve({ revision }));
      return convergence ?? (await meshConvergence.report(revision));
    },
  });
  addRoute(api, {
    method: "GET",
    path: "/v1/gateways",
    summary: "Gateways that were heard lately.",
    answer: z.object({ gateways: z.array(gatewaySchema) }),
    handle: () =>
      Promise.resolve({
        gateways: tracker.gateways().map(({ id, debugUrl, revision, connected, lastHeardMs }) => ({
          id,
          debugUrl,
          revision,
          connected,
          lastHeardMs,
        })),
      }),
  });
  addRoute(api, {
    method: "GET",
    path: "/v1/proxies",
    summary: "Connected proxies with what each has been sent and has ACKed, asked of every gateway.",
    answer: z.object({
      gateways: z.array(
        z.object({ id: z.string(), error: z.string().optional().describe("Why it could not be asked.") }),
      ),
      proxies: z.array(z.record(z.string(), z.unknown())),
    }),
    handle: async ({ signal }) => {
      const { gateways, proxies } = await mergeProxies(tracker.gateways(), signal);
      return { gateways: [...gateways], proxies: [...proxies] };
    },
  });
}
