import { addRoute, type HttpApi } from "@fairlead/http-api";
import { z } from "zod";
import type { DebugSources } from "./debug-sources.ts";
import { compareNumbers, nextOfPage, pageOf, pageQuery } from "./page.ts";

const connection = z.object({
  connection: z.string(),
  node: z.string().nullable().describe("null before the first request."),
  peer: z.string(),
  connectedSinceMs: z.number(),
  pending: z.number().int().describe("Entries of what is not ACKed."),
});

export const connectionsAnswer = z.object({
  gateway: z.string(),
  streams: z.number().int().describe("All of this gateway."),
  connections: z.array(connection),
  next: nextOfPage,
});

export function addConnections(api: HttpApi, { gatewayId, table }: DebugSources): void {
  addRoute(api.fastify, {
    method: "GET",
    path: "/debug/connections",
    summary: "The streams of this gateway.",
    query: z.strictObject(pageQuery(10_000, 10_000)),
    answer: connectionsAnswer,
    handle: async ({ query }) => {
      const { entries, next } = pageOf(table.all(), query, (one) => one.id, compareNumbers);
      return {
        gateway: gatewayId,
        streams: table.size,
        connections: entries.map((one) => ({
          connection: one.id,
          node: one.facts?.nodeId ?? null,
          peer: one.peer,
          connectedSinceMs: one.connectedSinceMs,
          pending: one.pending().length,
        })),
        next,
      };
    },
  });
}
