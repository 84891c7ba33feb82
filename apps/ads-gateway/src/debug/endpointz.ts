import { fromBinary } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { HealthStatus } from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { addRoute, type HttpApi } from "@fairlead/http-api";
import type { CompiledResource } from "@fairlead/snapshot";
import { z } from "zod";
import { outboundClusterOf } from "./cluster-name.ts";
import type { DebugSources } from "./debug-sources.ts";
import { nextOfPage, pageOf, pageQuery } from "./page.ts";

const endpoint = z.object({
  address: z.string(),
  port: z.number().int(),
  health: z.string().describe("UNKNOWN counts as healthy."),
  weight: z.number().int(),
  locality: z.string().describe("region/zone/sub-zone; empty when it has none."),
  priority: z.number().int(),
});

const cluster = z.object({
  cluster: z.string(),
  service: z.string(),
  protocol: z.string(),
  subset: z.string(),
  version: z.string(),
  revision: z.number().int(),
  endpoints: z.array(endpoint),
});

export const endpointzAnswer = z.object({
  gateway: z.string(),
  revision: z.number().int(),
  clusters: z.array(cluster),
  next: nextOfPage,
});

export function addEndpointz(api: HttpApi, { gatewayId, replica }: DebugSources): void {
  addRoute(api.fastify, {
    method: "GET",
    path: "/debug/endpointz",
    summary: "The endpoints of each cluster.",
    query: z.strictObject({
      service: z.string().max(1024).optional().describe("Only clusters of this interface."),
      proxy: z.string().max(255).optional().describe("As this node sees them; by default those of the whole mesh."),
      ...pageQuery(200, 1000),
    }),
    answer: endpointzAnswer,
    handle: async ({ query }) => {
      const view = query.proxy === undefined ? replica.everything() : replica.viewOf(query.proxy);
      const all = view
        .all(typeUrls.endpoint)
        .filter(({ name }) => query.service === undefined || outboundClusterOf(name).service === query.service);
      const { entries, next } = pageOf(all, query, ({ name }) => name);
      return { gateway: gatewayId, revision: replica.revision, clusters: entries.map(clusterAnswer), next };
    },
  });
}

function clusterAnswer({ name, version, revision, body }: CompiledResource): z.input<typeof cluster> {
  const assignment = fromBinary(ClusterLoadAssignmentSchema, body);
  return { cluster: name, ...outboundClusterOf(name), version, revision, endpoints: endpointsOf(assignment) };
}

export function endpointsOf(assignment: ClusterLoadAssignment): z.input<typeof endpoint>[] {
  return assignment.endpoints.flatMap(({ lbEndpoints, locality, priority }) =>
    lbEndpoints.map(({ hostIdentifier, healthStatus, loadBalancingWeight }) => {
      const host = hostIdentifier.case === "endpoint" ? hostIdentifier.value.address?.address : undefined;
      const socket = host?.case === "socketAddress" ? host.value : undefined;
      return {
        address: socket?.address ?? "",
        port: socket?.portSpecifier.case === "portValue" ? socket.portSpecifier.value : 0,
        health: HealthStatus[healthStatus],
        weight: loadBalancingWeight ?? 1,
        locality: [locality?.region, locality?.zone, locality?.subZone].filter(Boolean).join("/"),
        priority,
      };
    }),
  );
}
