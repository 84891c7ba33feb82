import type { Protocol } from "@fairlead/model";
import type { Callee } from "./callee.ts";

/** The names that proxies see. They are a contract: dashboards and `routeFor` of the sidecar rely on them. */
export function outboundClusterName({ interface: name, protocol, port }: Callee, subset = ""): string {
  return `outbound|${port ?? protocol}|${subset}|${name}`;
}

/** @param name of an outbound cluster. @returns empty for the service's own */
export function subsetOfCluster(name: string): string {
  return name.split("|", 3)[2]!;
}

/** The application beside the proxy, on one of its ports. */
export function inboundClusterName(port: number): string {
  return `inbound|${port}`;
}

export const outboundListenerName = "outbound";
export const outboundRpcListenerName = "outbound_rpc";
export const inboundListenerName = "inbound";

/** Protocols that a HTTP connection manager routes, the plainer before the other. */
const httpProtocols: readonly Protocol[] = ["http", "http2", "grpc"];

/** @returns its place among HTTP's protocols; undefined for dubbo, bolt and tcp */
export function httpRank(protocol: Protocol): number | undefined {
  const rank = httpProtocols.indexOf(protocol);
  return rank === -1 ? undefined : rank;
}

export function speaksHttp2(protocol: Protocol): boolean {
  return protocol === "http2" || protocol === "grpc";
}

/** Protocols that an RPC proxy routes. */
export function isRpc(protocol: Protocol): boolean {
  return protocol === "dubbo" || protocol === "bolt";
}

/** @param viewerId empty for what all share whom no policy tells from others */
export function resourceKey(type: "cds" | "eds", viewerId: string, name: string): string {
  return viewerId === "" ? `${type}/${name}` : `${type}/${viewerId}/${name}`;
}
