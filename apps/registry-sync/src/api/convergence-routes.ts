import { FairleadError } from "@fairlead/errors";
import { addRoute } from "@fairlead/http-api";
import { compilerSchema, convergenceReportSchema, waitQuerySchema } from "@fairlead/registration";
import type { CatalogueReader } from "@fairlead/store";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { CompilerView } from "../compiler-view.ts";
import type { ConvergenceTracker, RegisteredProxy } from "../convergence/convergence-tracker.ts";
import type { MeshConvergence } from "../convergence/mesh-convergence.ts";
import type { ConvergenceWaits } from "../convergence-waits.ts";
import { type GatewayProxiesOptions, mergeProxies } from "../gateway-proxies.ts";
import { withReport } from "./error-bodies.ts";

const gatewaySchema = z.object({
  id: z.string(),
  debugUrl: z.string(),
  revision: z.number().describe("The newest revision that it has applied; 0 = none yet."),
  connected: z.number().describe("Proxies connected to it."),
  lastHeardMs: z.number().describe("How long ago it was heard."),
});

const unconnectedSchema = z.object({
  node: z.string(),
  renewedAgoMs: z.number().describe("How long ago it renewed its lease."),
  closedMs: z.number().optional().describe("When a gateway saw its connection end, in ms since 1970."),
});

export interface ConvergenceRoutesOptions {
  readonly tracker: ConvergenceTracker;
  readonly meshConvergence: MeshConvergence;
  readonly waits: ConvergenceWaits;
  readonly compiler: Pick<CompilerView, "read">;
  readonly gatewayProxies: GatewayProxiesOptions;
  readonly store: Pick<CatalogueReader, "revision">;
  readonly registeredProxies: () => Promise<readonly RegisteredProxy[]>;
}

/** How far changes have got: revisions, compilers, gateways, proxies. */
export function addConvergenceRoutes(
  api: FastifyInstance,
  { tracker, meshConvergence, waits, compiler, gatewayProxies, store, registeredProxies }: ConvergenceRoutesOptions,
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
      const newest = await store.revision();
      if (revision > newest) {
        throw new FairleadError("FL_REVISION_UNKNOWN", `there is no revision ${revision}: the newest is ${newest}`, {
          facts: { revision, newest },
        });
      }
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
    path: "/v1/compiler",
    summary: "Who compiles, how far it has got, and what it does not take.",
    answer: compilerSchema,
    handle: async () => {
      const { activeForMs, compiled, rejected, revision } = await compiler.read();
      return {
        revision,
        active: activeForMs !== undefined,
        ...(activeForMs === undefined ? {} : { activeForMs: Math.round(activeForMs) }),
        ...(compiled === undefined ? {} : { compiled }),
        ...(rejected === undefined ? {} : { rejected: [...rejected.rejected], rejectedRevision: rejected.revision }),
      };
    },
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
      unconnected: z
        .array(unconnectedSchema)
        .optional()
        .describe("Registered proxies that are connected to no gateway. Not there while PostgreSQL does not answer."),
    }),
    handle: async ({ signal }) => {
      const [{ gateways, proxies }, registered] = await Promise.all([
        mergeProxies(tracker.gateways(), gatewayProxies, signal),
        registeredProxies().catch(() => undefined),
      ]);
      const unconnected = registered === undefined ? {} : { unconnected: tracker.unconnected(registered) };
      return { gateways: [...gateways], proxies: [...proxies], ...unconnected };
    },
  });
}
