import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { typeUrls } from "@fairlead/envoy-api";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import type { LoadBalancer } from "@fairlead/policy";
import { serviceKey } from "@fairlead/model";
import { adsConfigSource } from "./ads-config-source.ts";
import { compiled, type RenderedResource } from "./compiled.ts";
import { durationOf } from "./durations.ts";
import { inboundClusterName, outboundClusterName, speaksHttp2 } from "./names.ts";
import type { ServicePlan } from "./service-plan.ts";
import { localityEndpoints } from "./load-assignment.ts";

/** Envoy's default. */
const connectTimeoutMs = 5000;
const maxConcurrentRetries = 1024;
/** A local connect takes microseconds, or fails. */
const localConnectTimeoutMs = 1000;

const lbPolicies: Readonly<Record<LoadBalancer, Cluster_LbPolicy>> = {
  ROUND_ROBIN: Cluster_LbPolicy.ROUND_ROBIN,
  LEAST_REQUEST: Cluster_LbPolicy.LEAST_REQUEST,
  RANDOM: Cluster_LbPolicy.RANDOM,
  PASSTHROUGH: Cluster_LbPolicy.CLUSTER_PROVIDED,
};

/** Says that the upstream speaks HTTP/2; without it Envoy uses HTTP/1.1. */
function http2Options(): Pick<Cluster, "typedExtensionProtocolOptions"> {
  const options = create(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: "explicitHttpConfig",
      value: { protocolConfig: { case: "http2ProtocolOptions", value: {} } },
    },
  });
  return {
    typedExtensionProtocolOptions: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": anyPack(HttpProtocolOptionsSchema, options),
    },
  };
}

/** The cluster of a service, and one for each of its subsets. Their endpoints come by EDS under the same name. */
export function outboundClusters(plan: ServicePlan): RenderedResource[] {
  const { service, subsets, ruleProvenance } = plan;
  return [undefined, ...subsets].map((subset) => {
    const name = outboundClusterName(service, subset?.name);
    const cluster = create(ClusterSchema, {
      name,
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
      edsClusterConfig: { edsConfig: adsConfigSource(), serviceName: name },
      connectTimeout: durationOf(connectTimeoutMs),
      // Envoy's defaults, but for its 3 retries at a time: a host that dies under load has more calls to be repeated.
      circuitBreakers: { thresholds: [{ maxRetries: maxConcurrentRetries }] },
      lbPolicy: lbPolicies[subset?.trafficPolicy?.loadBalancer?.simple ?? plan.loadBalancer],
      ...(speaksHttp2(service.protocol) ? http2Options() : {}),
    });
    return compiled({ key: `cds/${name}`, typeUrl: typeUrls.cluster, name }, ClusterSchema, cluster, [
      { kind: "service", key: serviceKey(service) },
      ...ruleProvenance,
    ]);
  });
}

/** The application beside a node's proxy, on one port. */
export function inboundCluster(nodeId: string, port: number, http2: boolean): RenderedResource {
  const name = inboundClusterName(port);
  const cluster = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    connectTimeout: durationOf(localConnectTimeoutMs),
    loadAssignment: { clusterName: name, endpoints: [localityEndpoints([{ address: "127.0.0.1", port, weight: 1 }])] },
    ...(http2 ? http2Options() : {}),
  });
  return compiled({ key: `cds/${nodeId}/${name}`, typeUrl: typeUrls.cluster, name }, ClusterSchema, cluster, [
    { kind: "node", key: nodeId },
  ]);
}
