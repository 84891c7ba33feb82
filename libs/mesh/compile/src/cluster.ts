import { create } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { Cluster_DiscoveryType, ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import type { Protocol } from "@fairlead/model";
import type { ConnectionPool } from "@fairlead/policy";
import { adsConfigSource } from "./ads-config-source.ts";
import type { ClusterInit } from "./cluster-init.ts";
import { balancing } from "./balancing.ts";
import { compiled, type RenderedResource } from "./compiled.ts";
import { connectionLimits, httpOptions } from "./connection-limits.ts";
import { durationOf } from "./durations.ts";
import { externalEndpoints, isStatic } from "./external-endpoints.ts";
import { byLocality, localityEndpoints } from "./locality-endpoints.ts";
import { inboundClusterName, isRpc, outboundClusterName, resourceKey, speaksHttp2 } from "./names.ts";
import { outlierEjection } from "./outlier-ejection.ts";
import type { PlannedSubset, ServicePlan } from "./service-plan.ts";
import { upstreamTls } from "./upstream-tls.ts";

/** Envoy's default. */
const connectTimeoutMs = 5000;
/** A local connect takes microseconds, or fails. */
const localConnectTimeoutMs = 1000;
/** Istio's. */
const dnsRefreshMs = 60_000;

/** Where the endpoints come from: by EDS under the cluster's name, or from DNS. */
function discovery({ external }: ServicePlan, name: string, { labels }: PlannedSubset): ClusterInit {
  if (external === undefined || isStatic(external)) {
    return {
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
      edsClusterConfig: { edsConfig: adsConfigSource(), serviceName: name },
    };
  }
  const { resolution } = external.entry;
  const endpoints = externalEndpoints(external, labels);
  return {
    clusterDiscoveryType: {
      case: "type",
      value: resolution === "DNS" ? Cluster_DiscoveryType.STRICT_DNS : Cluster_DiscoveryType.LOGICAL_DNS,
    },
    dnsRefreshRate: durationOf(dnsRefreshMs),
    respectDnsTtl: true,
    loadAssignment: { clusterName: name, endpoints: byLocality(endpoints) },
  };
}

/** The name that its certificate is for. A registered service is reached by addresses only. */
function tlsDefaults({ external }: ServicePlan) {
  if (external === undefined) return { host: "", subjectAltNames: [] };
  const { host, entry } = external;
  return { host: host.startsWith("*") ? "" : host, subjectAltNames: entry.subjectAltNames };
}

/** For Fairlead's own proxies; others pass over metadata that they do not know. */
function rpcProtocol(protocol: Protocol | undefined): ClusterInit {
  return protocol === undefined || !isRpc(protocol)
    ? {}
    : { metadata: { filterMetadata: { "fairlead.rpc": { protocol } } } };
}

/** The cluster of a service, and one for each of its subsets. */
export function outboundClusters(plan: ServicePlan): RenderedResource[] {
  const { service, provenance, ruleProvenance } = plan;
  return [plan.whole, ...plan.subsets].map((subset) => {
    const name = outboundClusterName(service, subset.name);
    const { policy } = subset;
    const http2 = speaksHttp2(service.protocol);
    const transportSocket = upstreamTls(policy.tls, http2, tlsDefaults(plan));
    const cluster = create(ClusterSchema, {
      name,
      ...discovery(plan, name, subset),
      connectTimeout: durationOf(policy.connectionPool?.tcp?.connectTimeout ?? connectTimeoutMs),
      ...connectionLimits(policy),
      ...balancing(policy, http2),
      ...httpOptions(http2, policy.connectionPool),
      ...rpcProtocol(service.protocol),
      ...(policy.outlierDetection === undefined ? {} : { outlierDetection: outlierEjection(policy.outlierDetection) }),
      ...(transportSocket === undefined ? {} : { transportSocket }),
    });
    const key = resourceKey("cds", plan.viewerId, name);
    return compiled({ key, typeUrl: typeUrls.cluster, name }, ClusterSchema, cluster, [provenance, ...ruleProvenance]);
  });
}

export interface InboundCluster {
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** @default the port */
  readonly to?: number;
  /** Limits that a Sidecar sets. */
  readonly pool?: ConnectionPool | undefined;
  /** The RPC protocol of all that is published on the port; `several`: as the caller speaks. @default HTTP */
  readonly speaks?: Protocol | "several" | undefined;
}

/**
 * The application beside a node's proxy, on one port.
 */
export function inboundCluster(
  nodeId: string,
  port: number,
  http2: boolean,
  { host = "127.0.0.1", to = port, pool, speaks }: InboundCluster = {},
): RenderedResource {
  const name = inboundClusterName(port);
  const cluster = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    connectTimeout: durationOf(pool?.tcp?.connectTimeout ?? localConnectTimeoutMs),
    loadAssignment: { clusterName: name, endpoints: [localityEndpoints([{ address: host, port: to, weight: 1 }])] },
    ...(pool === undefined ? {} : connectionLimits({ connectionPool: pool })),
    ...httpOptions(http2, speaks === "several" ? { ...pool, http: { ...pool?.http, useClientProtocol: true } } : pool),
    ...rpcProtocol(speaks === "several" ? undefined : speaks),
  });
  return compiled({ key: `cds/${nodeId}/${name}`, typeUrl: typeUrls.cluster, name }, ClusterSchema, cluster, [
    { kind: "node", key: nodeId },
  ]);
}
