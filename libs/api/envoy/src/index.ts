/** The xDS resource types that Fairlead speaks, as the type URLs of their Any. */
export const typeUrls = {
  cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  endpoint: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
  listener: "type.googleapis.com/envoy.config.listener.v3.Listener",
  route: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  secret: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
} as const;

/** `cds`, `eds` … for logs, metrics and tables; an unknown type URL is returned as it is. */
export function shortTypeName(typeUrl: string): string {
  return shortNames[typeUrl] ?? typeUrl;
}

const shortNames: Readonly<Record<string, string>> = {
  [typeUrls.cluster]: "cds",
  [typeUrls.endpoint]: "eds",
  [typeUrls.listener]: "lds",
  [typeUrls.route]: "rds",
  [typeUrls.secret]: "sds",
};
