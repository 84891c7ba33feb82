import { typeUrls } from "@fairlead/envoy-api";

/** State of the world or delta. */
export type XdsVariant = "sotw" | "delta";
/** All types on one stream, or a stream a type. */
export type XdsService = "ads" | "single";

const single: Readonly<Record<string, readonly [service: string, methods: string]>> = {
  [typeUrls.cluster]: ["envoy.service.cluster.v3.ClusterDiscoveryService", "Clusters"],
  [typeUrls.endpoint]: ["envoy.service.endpoint.v3.EndpointDiscoveryService", "Endpoints"],
  [typeUrls.listener]: ["envoy.service.listener.v3.ListenerDiscoveryService", "Listeners"],
  [typeUrls.route]: ["envoy.service.route.v3.RouteDiscoveryService", "Routes"],
  [typeUrls.secret]: ["envoy.service.secret.v3.SecretDiscoveryService", "Secrets"],
};

/** The HTTP/2 path of the method that serves a type. */
export function discoveryPath(typeUrl: string, variant: XdsVariant, service: XdsService): string {
  const prefix = variant === "sotw" ? "Stream" : "Delta";
  if (service === "ads") return `/envoy.service.discovery.v3.AggregatedDiscoveryService/${prefix}AggregatedResources`;
  const [name, methods] = single[typeUrl] ?? [];
  if (name === undefined) throw new Error(`no service has ${typeUrl} alone`);
  return `/${name}/${prefix}${methods}`;
}

export function fetchPath(typeUrl: string): string {
  const [name, methods] = single[typeUrl] ?? [];
  return `/${name}/Fetch${methods}`;
}
