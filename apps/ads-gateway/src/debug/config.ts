import { FairleadError } from "@fairlead/errors";
import { addRoute, type HttpApi } from "@fairlead/http-api";
import { type CompiledResource, pushOrder } from "@fairlead/snapshot";
import { z } from "zod";
import type { DebugSources } from "./debug-sources.ts";
import { nextOfPage, pageOf, pageQuery } from "./page.ts";
import { provenance, provenanceAnswer } from "./provenance.ts";
import { readableBody } from "./readable-body.ts";

const resource = z.object({
  name: z.string(),
  version: z.string(),
  revision: z.number().int(),
  key: z.string(),
  onDemand: z.boolean(),
  provenance: z.array(provenance),
});

const view = {
  gateway: z.string(),
  node: z.string(),
  revision: z.number().int(),
  scope: z.string(),
  registered: z.boolean(),
  connected: z.boolean(),
};

export const configAnswer = z.object({
  ...view,
  types: z.array(z.object({ type: z.string(), resources: z.array(resource) })),
});

export const configzAnswer = z.object({
  ...view,
  resources: z.array(
    resource.extend({
      type: z.string().describe("The type URL."),
      bytes: z.number().int().describe("Size of the body."),
      body: z.unknown().optional().describe("As protobuf JSON; what Envoy marks as sensitive is left out."),
    }),
  ),
  next: nextOfPage,
});

const nodeId = z.string().min(1).max(255).optional();
/** Both names in both. */
const nodeQuery = {
  node: nodeId.describe("The node id; this or `proxy`, which is the same."),
  proxy: nodeId.describe("The node id; this or `node`, which is the same."),
};

function nodeIn({ node, proxy }: { readonly node?: string | undefined; readonly proxy?: string | undefined }): string {
  const named = node ?? proxy;
  if (named === undefined) throw new FairleadError("FL_REQUEST_INVALID", "query.node: expected the node id");
  if (proxy !== undefined && proxy !== named)
    throw new FairleadError("FL_REQUEST_INVALID", "query.proxy: another node than query.node; give one of them");
  return named;
}

/** `/debug/config` lists names and provenance by type; `/debug/configz` has bodies, too, and is paged. */
export function addConfig(api: HttpApi, sources: DebugSources): void {
  const viewOf = (id: string) => {
    const { gatewayId, replica, table } = sources;
    if (!replica.synced) throw new FairleadError("FL_GATEWAY_NOT_SYNCED", "the gateway has no configuration yet");
    const seen = replica.viewOf(id);
    const answer = {
      gateway: gatewayId,
      node: id,
      revision: replica.revision,
      scope: seen.scopeId,
      registered: seen.registered,
      connected: [...table.ofNode(id)].length > 0,
    };
    return { seen, answer };
  };

  addRoute(api.fastify, {
    method: "GET",
    path: "/debug/config",
    summary: "The resources that a node is served, with where each comes from.",
    description: "Also for a node that is not connected. One that nobody registered is served everything.",
    query: z.strictObject(nodeQuery),
    answer: configAnswer,
    handle: async ({ query }) => {
      const { seen, answer } = viewOf(nodeIn(query));
      const types = pushOrder.map((type) => ({ type, resources: seen.all(type).map(resourceAnswer) }));
      return { ...answer, types };
    },
  });

  addRoute(api.fastify, {
    method: "GET",
    path: "/debug/configz",
    summary: "The resources that a node is served, with their bodies.",
    description: "Private keys and other secrets are not in it.",
    query: z.strictObject({
      ...nodeQuery,
      type: z
        .enum(pushOrder as [string, ...string[]])
        .optional()
        .describe("Only this type URL."),
      name: z.string().max(1024).optional().describe("Only resources of this name."),
      ...pageQuery(100, 1000),
    }),
    answer: configzAnswer,
    handle: async ({ query }) => {
      const { seen, answer } = viewOf(nodeIn(query));
      const all = pushOrder
        .flatMap((type) => (query.type === undefined || query.type === type ? seen.all(type) : []))
        .filter(({ name }) => query.name === undefined || query.name === name)
        .map((one) => ({ one, mark: `${pushOrder.indexOf(one.typeUrl)} ${one.name}` }));
      const { entries, next } = pageOf(all, query, ({ mark }) => mark);
      const resources = entries.map(({ one }) => ({
        type: one.typeUrl,
        ...resourceAnswer(one),
        bytes: one.body.byteLength,
        body: readableBody(one.typeUrl, one.body),
      }));
      return { ...answer, resources, next };
    },
  });
}

function resourceAnswer(one: CompiledResource): z.input<typeof resource> {
  const { name, version, revision, key, onDemand } = one;
  return { name, version, revision, key, onDemand, provenance: provenanceAnswer(one.provenance) };
}
