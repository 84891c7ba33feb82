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
  methods: z.array(z.string()).readonly(),
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
  outboundRpcPort: z.number().optional(),
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

interface ListRoute<Name extends string, Query extends z.ZodRawShape, Item extends z.ZodType> {
  /** The path below /v1, and the field of the answer. */
  readonly name: Name;
  readonly summary: string;
  /** Besides `limit` and `after`. */
  readonly filters: Query;
  readonly item: Item;
  /** Objects are given as the store has them; nothing of the model is left out. */
  readonly read: (query: z.output<z.ZodObject<Query & typeof pageQuery>>) => Promise<Page<z.input<Item>>>;
}

function addList<Name extends string, Query extends z.ZodRawShape, Item extends z.ZodType>(
  api: FastifyInstance,
  { name, summary, filters, item, read }: ListRoute<Name, Query, Item>,
): void {
  addRoute(api, {
    method: "GET",
    path: `/v1/${name}`,
    summary,
    query: z.strictObject({ ...pageQuery, ...filters }),
    answer: z.object({ [name]: z.array(item), next }),
    handle: async ({ query }) => {
      const page = await read(query);
      return { [name]: [...page.items], ...(page.next === undefined ? {} : { next: page.next }) };
    },
  });
}

/** What is registered, page by page in the order of the keys. */
export function addListRoutes(api: FastifyInstance, store: CatalogueQueries): void {
  addList(api, {
    name: "services",
    summary: "Services.",
    filters: { interface: interfaceFilter },
    item: serviceAnswer,
    read: (query) => store.listServices(query),
  });
  addList(api, {
    name: "instances",
    summary: "Publications of services by nodes.",
    filters: { interface: interfaceFilter, node: nodeFilter },
    item: instanceAnswer,
    read: ({ node, ...query }) => store.listInstances({ ...query, nodeId: node }),
  });
  addList(api, {
    name: "nodes",
    summary: "Nodes, with what is left of their leases.",
    filters: {},
    item: nodeAnswer,
    read: (query) => store.listNodes(query),
  });
  addList(api, {
    name: "subscriptions",
    summary: "What nodes say that they call.",
    filters: { interface: interfaceFilter, node: nodeFilter },
    item: subscriptionAnswer,
    read: ({ node, ...query }) => store.listSubscriptions({ ...query, nodeId: node }),
  });
  addList(api, {
    name: "policies",
    summary: "Policies.",
    filters: {},
    item: policyAnswer,
    read: (query) => store.listPolicies(query),
  });
}
