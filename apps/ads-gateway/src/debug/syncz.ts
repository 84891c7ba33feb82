import { addRoute, type HttpApi } from "@fairlead/http-api";
import { z } from "zod";
import type { ProxyConnection } from "../proxy-connection.ts";
import type { DebugSources } from "./debug-sources.ts";
import { compareNumbers, nextOfPage, pageOf, pageQuery } from "./page.ts";
import { provenance, provenanceAnswer } from "./provenance.ts";

const refusal = z.object({
  names: z.array(z.string()).describe("The resources that the proxy refuses."),
  reason: z.string().describe("The proxy's words."),
  nonce: z.string(),
  version: z.string().describe("Of the refused response."),
  atMs: z.number().describe("Ms since 1970."),
  firstRevision: z.number().int(),
  lastRevision: z.number().int(),
  provenance: z.array(provenance),
});

const typeStatus = z.object({
  type: z.string().describe("The type URL."),
  sentVersion: z.string(),
  ackedVersion: z.string(),
  state: z.enum(["ACKED", "SENT", "BLOCKED", "NACKED", "NOT_SUBSCRIBED"]),
  detail: z.string().describe("The proxy's reason for a NACK, or what a change waits for."),
  sinceMs: z.number().describe("Of the last change of state, in ms since 1970."),
  resources: z.number().int().describe("Resources that the proxy was sent."),
  revision: z.number().int().describe("The newest registry revision that was sent."),
  refusal: refusal.optional().describe("Of a NACKED type: which resources, why, and where they come from."),
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

export const synczAnswer = z.object({
  gateway: z.string(),
  revision: z.number().int(),
  proxies: z.array(proxyStatus),
  next: nextOfPage,
});

export function addSyncz(api: HttpApi, { gatewayId, table, replica }: DebugSources): void {
  addRoute(api.fastify, {
    method: "GET",
    path: "/debug/syncz",
    summary: "What each proxy was sent, and whether it ACKed it.",
    query: z.strictObject({
      proxy: z.string().max(255).optional().describe("Only this node."),
      ...pageQuery(10_000, 10_000),
    }),
    answer: synczAnswer,
    handle: async ({ query }) => {
      const connections = query.proxy === undefined ? table.all() : table.ofNode(query.proxy);
      const named = Iterator.from(connections).filter((connection) => connection.facts !== undefined);
      const { entries, next } = pageOf(named, query, (connection) => connection.id, compareNumbers);
      return {
        gateway: gatewayId,
        revision: replica.revision,
        proxies: entries.map((connection) => proxyAnswer(connection, gatewayId)),
        next,
      };
    },
  });
}

function proxyAnswer(connection: ProxyConnection, gateway: string): z.input<typeof proxyStatus> {
  const { id, peer, connectedSinceMs, facts = { nodeId: "", app: "", userAgent: "" } } = connection;
  const refusals = new Map(connection.refusals().map((one) => [one.typeUrl, one]));
  return {
    node: facts.nodeId,
    app: facts.app,
    gateway,
    connection: id,
    peer,
    userAgent: facts.userAgent,
    connectedSinceMs,
    types: connection.status().map(({ typeUrl, ...status }) => {
      const refused = refusals.get(typeUrl);
      if (refused === undefined) return { type: typeUrl, ...status };
      const { typeUrl: _, names, provenance: from, first, last, ...rest } = refused;
      return {
        type: typeUrl,
        ...status,
        refusal: {
          ...rest,
          names: [...names],
          firstRevision: first,
          lastRevision: last,
          provenance: provenanceAnswer(from),
        },
      };
    }),
  };
}
