import { FairleadError } from "@fairlead/errors";
import { addRoute, type HttpApi } from "@fairlead/http-api";
import { pushOrder, type SnapshotReplica } from "@fairlead/snapshot";
import { z } from "zod";
import type { ConnectionTable } from "./connection-table.ts";

const typeStatus = z.object({
  type: z.string().describe("The type URL."),
  sentVersion: z.string(),
  ackedVersion: z.string(),
  state: z.enum(["ACKED", "SENT", "BLOCKED", "NACKED", "NOT_SUBSCRIBED"]),
  detail: z.string().describe("The proxy's reason for a NACK, or what a change waits for."),
  sinceMs: z.number().describe("Of the last change of state, in ms since 1970."),
  resources: z.number().int().describe("Resources that the proxy was sent."),
  revision: z.number().int().describe("The newest registry revision that was sent."),
});

const proxyStatus = z.object({
  node: z.string(),
  app: z.string(),
  gateway: z.string(),
  connection: z.string(),
  peer: z.string(),
  userAgent: z.string(),
  connectedSinceMs: z.number(),
  types: z.array(typeStatus),
});

const connection = z.object({
  connection: z.string(),
  node: z.string().nullable().describe("null before the first request."),
  peer: z.string(),
  connectedSinceMs: z.number(),
  pending: z.number().int().describe("Entries of what is not ACKed."),
});

const resource = z.object({
  name: z.string(),
  version: z.string(),
  revision: z.number().int(),
  key: z.string(),
  onDemand: z.boolean(),
  provenance: z.array(
    z.object({ kind: z.string(), key: z.string(), file: z.string().optional(), line: z.number().optional() }),
  ),
});

export const synczAnswer = z.object({ gateway: z.string(), revision: z.number().int(), proxies: z.array(proxyStatus) });
export const connectionsAnswer = z.object({ gateway: z.string(), connections: z.array(connection) });
export const configAnswer = z.object({
  gateway: z.string(),
  node: z.string(),
  revision: z.number().int(),
  scope: z.string(),
  registered: z.boolean(),
  connected: z.boolean(),
  types: z.array(z.object({ type: z.string(), resources: z.array(resource) })),
});

/** What the gateway knows, for operators, the command line and the console. */
export function addDebugRoutes(
  api: HttpApi,
  {
    gatewayId,
    table,
    replica,
  }: { readonly gatewayId: string; readonly table: ConnectionTable; readonly replica: SnapshotReplica },
): void {
  addRoute(api.fastify, {
    method: "GET",
    path: "/debug/syncz",
    summary: "What each proxy was sent, and whether it ACKed it.",
    answer: synczAnswer,
    handle: async () => ({
      gateway: gatewayId,
      revision: replica.revision,
      proxies: [...table.all()].flatMap((one) =>
        one.facts === undefined
          ? []
          : [
              {
                node: one.facts.nodeId,
                app: one.facts.app,
                gateway: gatewayId,
                connection: one.id,
                peer: one.peer,
                userAgent: one.facts.userAgent,
                connectedSinceMs: one.connectedSinceMs,
                types: one.status().map(({ typeUrl, ...status }) => ({ type: typeUrl, ...status })),
              },
            ],
      ),
    }),
  });

  addRoute(api.fastify, {
    method: "GET",
    path: "/debug/connections",
    summary: "The streams of this gateway.",
    answer: connectionsAnswer,
    handle: async () => ({
      gateway: gatewayId,
      connections: [...table.all()].map((one) => ({
        connection: one.id,
        node: one.facts?.nodeId ?? null,
        peer: one.peer,
        connectedSinceMs: one.connectedSinceMs,
        pending: one.pending().length,
      })),
    }),
  });

  addRoute(api.fastify, {
    method: "GET",
    path: "/debug/config",
    summary: "The resources that a node is served, with where each comes from.",
    description: "Also for a node that is not connected. One that nobody registered is served everything.",
    query: z.strictObject({ node: z.string().min(1).max(255).describe("The node id.") }),
    answer: configAnswer,
    handle: async ({ query: { node } }) => {
      if (!replica.synced) throw new FairleadError("FL_GATEWAY_NOT_SYNCED", "the gateway has no configuration yet");
      const view = replica.viewOf(node);
      return {
        gateway: gatewayId,
        node,
        revision: replica.revision,
        scope: view.scopeId,
        registered: view.registered,
        connected: [...table.ofNode(node)].length > 0,
        types: pushOrder.map((typeUrl) => ({
          type: typeUrl,
          resources: view.all(typeUrl).map(({ name, version, revision, key, onDemand, provenance }) => ({
            name,
            version,
            revision,
            key,
            onDemand,
            provenance: [...provenance],
          })),
        })),
      };
    },
  });
}
