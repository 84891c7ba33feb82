import { fromBinary } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { addRoute, type HttpApi } from "@fairlead/http-api";
import type { CompiledResource } from "@fairlead/snapshot";
import { z } from "zod";
import { outboundClusterOf } from "./cluster-name.ts";
import type { DebugSources } from "./debug-sources.ts";
import { endpointsOf } from "./endpointz.ts";
import { compareText, nextOfPage, pageOf, pageQuery } from "./page.ts";

const service = z.object({
  service: z.string(),
  protocol: z.string(),
  clusters: z.array(z.string()),
  subsets: z.array(z.string()),
  endpoints: z.number().int(),
  healthy: z.number().int().describe("Endpoints that are called: those whose health is HEALTHY or UNKNOWN."),
});

export const registryzAnswer = z.object({
  gateway: z.string(),
  revision: z.number().int(),
  services: z.array(service),
  next: nextOfPage,
});

/** What registry-sync has, as far as proxies are told of it. */
export function addRegistryz(api: HttpApi, { gatewayId, replica }: DebugSources): void {
  addRoute(api.fastify, {
    method: "GET",
    path: "/debug/registryz",
    summary: "The services of the mesh, with their clusters and how many endpoints they have.",
    query: z.strictObject({
      service: z.string().max(1024).optional().describe("Only this interface."),
      ...pageQuery(500, 5000),
    }),
    answer: registryzAnswer,
    handle: async ({ query }) => {
      const view = replica.everything();
      const byService = new Map<string, CompiledResource[]>();
      for (const cluster of view.all(typeUrls.cluster)) {
        const { service: name, protocol } = outboundClusterOf(cluster.name);
        if (protocol === "" || (query.service !== undefined && query.service !== name)) continue;
        const mark = `${name}|${protocol}`;
        const clusters = byService.get(mark);
        if (clusters === undefined) byService.set(mark, [cluster]);
        else clusters.push(cluster);
      }
      const sorted = [...byService].toSorted(([a], [b]) => compareText(a, b));
      const { entries, next } = pageOf(sorted, query, ([mark]) => mark);
      const services = entries.map(([, clusters]) =>
        serviceAnswer(clusters, (name) => view.get(typeUrls.endpoint, name)),
      );
      return { gateway: gatewayId, revision: replica.revision, services, next };
    },
  });
}

function serviceAnswer(
  clusters: readonly CompiledResource[],
  endpointsFor: (cluster: string) => CompiledResource | undefined,
): z.input<typeof service> {
  const parsed = clusters.map(({ name }) => ({ name, ...outboundClusterOf(name) }));
  const whole = parsed.find(({ subset }) => subset === "") ?? parsed[0];
  const assignment = whole === undefined ? undefined : endpointsFor(whole.name);
  const endpoints =
    assignment === undefined ? [] : endpointsOf(fromBinary(ClusterLoadAssignmentSchema, assignment.body));
  return {
    service: whole?.service ?? "",
    protocol: whole?.protocol ?? "",
    clusters: parsed.map(({ name }) => name),
    subsets: parsed.map(({ subset }) => subset).filter((subset) => subset !== ""),
    endpoints: endpoints.length,
    healthy: endpoints.filter(({ health }) => health === "HEALTHY" || health === "UNKNOWN").length,
  };
}
