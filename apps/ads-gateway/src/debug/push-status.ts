import { addRoute, type HttpApi } from "@fairlead/http-api";
import { z } from "zod";
import type { DebugSources } from "./debug-sources.ts";

const commit = z.object({
  revision: z.number().int(),
  atMs: z.number().describe("When the gateway applied it; ms since 1970."),
  changed: z.number().int().describe("Resources."),
  removed: z.number().int().describe("Resources."),
  proxies: z.number().int().describe("Streams whose view it changed."),
  waiting: z.number().int().describe("Of them, those that have not ACKed it."),
  refused: z.number().int().describe("Of them, those that refuse a part of it."),
});

export const pushStatusAnswer = z.object({
  gateway: z.string(),
  revision: z.number().int(),
  streams: z.number().int(),
  pending: z.number().int().describe("Streams that have not ACKed all of their configuration."),
  queue: z.object({ waiting: z.number().int(), running: z.number().int() }),
  lanes: z.array(
    z.object({
      lane: z.enum(["endpoints", "configuration"]),
      announced: z.number().int().describe("Streams that wait for the debounce."),
      heldMs: z.number().describe("How long the first change has been held back."),
    }),
  ),
  commits: z.array(commit).describe("The last ones, the newest first."),
});

export function addPushStatus(api: HttpApi, { gatewayId, table, replica, pushStatus }: DebugSources): void {
  addRoute(api.fastify, {
    method: "GET",
    path: "/debug/push_status",
    summary: "What is being pushed: the debounce lanes, the push queue, and how far the last changes have got.",
    answer: pushStatusAnswer,
    handle: async () => {
      const { queue, lanes, commits } = pushStatus();
      const pending = [...table.pending].map((connection) => connection.pending());
      return {
        gateway: gatewayId,
        revision: replica.revision,
        streams: table.size,
        pending: pending.length,
        queue,
        lanes: [...lanes],
        commits: commits.map((one) => {
          const keeping = pending
            .map((entries) => entries.filter(({ first, last }) => first <= one.revision && one.revision <= last))
            .filter((entries) => entries.length > 0);
          const waiting = keeping.filter((entries) => entries.some(({ state }) => state !== "NACKED")).length;
          return { ...one, waiting, refused: keeping.length - waiting };
        }),
      };
    },
  });
}
