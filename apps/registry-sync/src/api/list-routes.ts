import { addRoute } from "@fairlead/http-api";
import { policyKinds, protocols } from "@fairlead/model";
import type { CatalogueQueries, Page } from "@fairlead/store";
import type { FastifyInstance } from "fastify";
import { z } from "zod";

const pageQuery = {
  limit: z.coerce.number().int().min(1).max(10_000).default(1000).describe("Objects of one answer."),
  after: z.string().min(1).max(2000).optional().describe("`next` of the answer before."),
};
const interfaceFilter = z.string().max(253).optional().describe("Only those of this interface.");
const nodeFilter = z.string().max(255).optional().describe("Only those of this node.");
const next = z.string().optional().describe("There is more: ask again with this as `after`.");

const labels = z.record(z.string(), z.string());
const serviceAnswer = z.object({ interface: z.string(), protocol: z.enum(protocols) });
const instanceAnswer = serviceAnswer.extend({
  nodeId: z.string(),
  port: z.number(),
  version: z.string(),
  group: z.string(),
  methods: z.array(z.string()),
  labels,
  weight: z.number(),
  state: z.enum(["warming", "ready", "draining"]),
});
const nodeAnswer = z.object({
  id: z.string(),
  app: z.string(),
  address: z.string(),
  inboundPort: z.number().optional(),
  outboundPort: z.number().optional(),
  labels,
  leaseRemainingMs: z.number().describe("Until the node is removed when it does not renew."),
});
const subscriptionAnswer = z.object({ nodeId: z.string(), interface: z.string() });
export const policyAnswer = z.object({
  kind: z.enum(policyKinds),
  namespace: z.string(),
  name: z.string(),
  file: z.string().describe("The source that it was applied from."),
  line: z.number(),
  text: z.string().describe("Its YAML."),
});

/** Objects are given as the store has them; nothing of the model is left out. */
function answerOf<Name extends string, T>(name: Name, page: Page<T>): Record<Name, T[]> & { next?: string } {
  const items = { [name]: [...page.items] } as Record<Name, T[]>;
  return page.next === undefined ? items : { ...items, next: page.next };
}

/** What is registered, page by page in the order of the keys. */
export function addListRoutes(api: FastifyInstance, store: CatalogueQueries): void {
  addRoute(api, {
    method: "GET",
    path: "/v1/services",
    summary: "Services.",
    query: z.strictObject({ ...pageQuery, interface: interfaceFilter }),
    answer: z.object({ services: z.array(serviceAnswer), next }),
    handle: async ({ query }) => answerOf("services", await store.listServices(query)),
  });
  addRoute(api, {
    method: "GET",
    path: "/v1/instances",
    summary: "Publications of services by nodes.",
    query: z.strictObject({ ...pageQuery, interface: interfaceFilter, node: nodeFilter }),
    answer: z.object({ instances: z.array(instanceAnswer), next }),
    handle: async ({ query: { node, ...query } }) => {
      const page = await store.listInstances({ ...query, nodeId: node });
      return answerOf("instances", {
        ...page,
        items: page.items.map((item) => ({ ...item, methods: [...item.methods] })),
      });
    },
  });
  addRoute(api, {
    method: "GET",
    path: "/v1/nodes",
    summary: "Nodes, with what is left of their leases.",
    query: z.strictObject(pageQuery),
    answer: z.object({ nodes: z.array(nodeAnswer), next }),
    handle: async ({ query }) => answerOf("nodes", await store.listNodes(query)),
  });
  addRoute(api, {
    method: "GET",
    path: "/v1/subscriptions",
    summary: "What nodes say that they call.",
    query: z.strictObject({ ...pageQuery, interface: interfaceFilter, node: nodeFilter }),
    answer: z.object({ subscriptions: z.array(subscriptionAnswer), next }),
    handle: async ({ query: { node, ...query } }) =>
      answerOf("subscriptions", await store.listSubscriptions({ ...query, nodeId: node })),
  });
  addRoute(api, {
    method: "GET",
    path: "/v1/policies",
    summary: "Policies.",
    query: z.strictObject(pageQuery),
    answer: z.object({ policies: z.array(policyAnswer), next }),
    handle: async ({ query }) => answerOf("policies", await store.listPolicies(query)),
  });
}
