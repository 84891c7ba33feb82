import { addRoute } from "@fairlead/http-api";
import {
  changeAnswerSchema,
  instanceStateRequestSchema,
  leaseAnswerSchema,
  nodeReferenceSchema,
  publicationAnswerSchema,
  publishRequestSchema,
  registerNodeRequestSchema,
  renewLeaseRequestSchema,
  subscribeRequestSchema,
  unpublishRequestSchema,
  unsubscribeRequestSchema,
  waitQuerySchema,
} from "@fairlead/registration";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import type { ConvergenceWaits } from "../convergence-waits.ts";
import type { Registrations, Stored } from "../registrations.ts";
import { withErrNo, withReport } from "./error-bodies.ts";

/** /pub /unpub /sub /unsub, with the answers that MOSN's clients know. */
export function addMosnRoutes(api: FastifyInstance, registrations: Registrations, waits: ConvergenceWaits): void {
  const add = <Body extends z.ZodType>(
    path: string,
    summary: string,
    body: Body,
    success: string,
    store: (body: z.output<Body>) => Promise<Stored>,
  ) =>
    addRoute(api, {
      method: "POST",
      path,
      summary,
      body,
      query: waitQuerySchema,
      answer: publicationAnswerSchema,
      formatError: withErrNo,
      handle: async ({ body: request, query, signal }) => ({
        err_no: 0 as const,
        err_msg: success,
        ...(await waits.run(query, signal, () => store(request))),
      }),
    });
  add("/pub", "Publish a service on a node.", publishRequestSchema, "publish success", (body) =>
    registrations.publish(body),
  );
  add("/unpub", "Withdraw a publication at once.", unpublishRequestSchema, "unpub success", (body) =>
    registrations.unpublish(body),
  );
  add("/sub", "Say what the node's application calls.", subscribeRequestSchema, "subscribe success", (body) =>
    registrations.subscribe(body),
  );
  add("/unsub", "Take a subscription back.", unsubscribeRequestSchema, "unsubscribe success", (body) =>
    registrations.unsubscribe(body),
  );
}

/** Nodes, leases and the states of instances. */
export function addNodeRoutes(api: FastifyInstance, registrations: Registrations, waits: ConvergenceWaits): void {
  addRoute(api, {
    method: "POST",
    path: "/v1/instances/state",
    summary: "Send callers to a publication, or no longer.",
    body: instanceStateRequestSchema,
    query: waitQuerySchema,
    answer: publicationAnswerSchema,
    formatError: withErrNo,
    handle: async ({ body, query, signal }) => ({
      err_no: 0 as const,
      err_msg: "state success",
      ...(await waits.run(query, signal, () => registrations.setState(body))),
    }),
  });
  addRoute(api, {
    method: "POST",
    path: "/v1/nodes",
    summary: "Register a node, or renew its registration.",
    body: registerNodeRequestSchema,
    query: waitQuerySchema,
    answer: changeAnswerSchema,
    formatError: withReport,
    handle: async ({ body, query, signal }) =>
      await waits.run(query, signal, () => registrations.registerNode(body.node)),
  });
  addRoute(api, {
    method: "DELETE",
    path: "/v1/nodes/:id",
    summary: "Remove a node with its publications and subscriptions.",
    params: nodeReferenceSchema,
    query: waitQuerySchema,
    answer: changeAnswerSchema,
    formatError: withReport,
    handle: async ({ params, query, signal }) =>
      await waits.run(query, signal, () => registrations.removeNode(params.id)),
  });
  addRoute(api, {
    method: "POST",
    path: "/v1/leases/renew",
    summary: "Renew the lease of a node.",
    description: "FL_NODE_UNKNOWN: the node has to register again, with all that it publishes and subscribes to.",
    body: renewLeaseRequestSchema,
    answer: leaseAnswerSchema,
    handle: async ({ body }) => ({ leaseTtlMs: await registrations.renewLease(body.node.id) }),
  });
}
