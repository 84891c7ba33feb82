import type { ClusterStatus, HostStatus } from "@fairlead/proxy-runtime";
import { addressJson } from "./socket-address.ts";

/** Envoy's names, on the text page and in the JSON; what is not said is false. */
const flags: readonly (readonly [has: keyof HostStatus, text: string, json: string])[] = [
  ["ejected", "failed_outlier_check", "failed_outlier_check"],
  ["failedCheck", "failed_active_hc", "failed_active_health_check"],
  ["degradedByCheck", "degraded_active_hc", "failed_active_degraded_check"],
  ["pendingRemoval", "pending_dynamic_removal", "pending_dynamic_removal"],
  ["excluded", "excluded_via_immediate_hc_fail", "excluded_via_immediate_hc_fail"],
];

function healthFlags(host: HostStatus): string {
  const set = flags.filter(([has]) => host[has] === true).map(([, text]) => `/${text}`);
  return set.join("") || (host.health === "healthy" ? "healthy" : `/${host.health}`);
}

/** Envoy's lines: `cluster::host::statistic::value`. */
export function clustersText(clusters: readonly ClusterStatus[]): string {
  return clusters.map((cluster) => clusterText(cluster)).join("");
}

function clusterText({ statName, hosts }: ClusterStatus): string {
  return hosts
    .flatMap((host) =>
      [
        ...statsOf(host).map(({ name: stat, value }) => [stat, value]),
        ["hostname", host.hostname],
        ["health_flags", healthFlags(host)],
        ["weight", host.weight],
        ["region", localityOf(host).region],
        ["zone", localityOf(host).zone],
        ["sub_zone", localityOf(host).sub_zone],
        ["priority", host.priority],
      ].map(([stat, value]) => `${statName}::${host.address}::${stat}::${value}\n`),
    )
    .join("");
}

/** Only what this proxy counts of a host. */
function statsOf(
  host: HostStatus,
): { readonly type: "COUNTER" | "GAUGE"; readonly name: string; readonly value: number }[] {
  return [
    { type: "GAUGE", name: "cx_active", value: host.connections },
    { type: "GAUGE", name: "cx_idle", value: host.idleConnections },
    { type: "GAUGE", name: "rq_active", value: host.activeRequests },
    { type: "COUNTER", name: "rq_total", value: host.totalRequests },
  ];
}

/**
 * In the shape of Envoy's `envoy.admin.v3.Clusters`.
 *
 * @param verbose also what Envoy's messages have no place for: what /stats has under the cluster's name
 */
export function clustersJson(clusters: readonly ClusterStatus[], verbose: boolean): object {
  return {
    cluster_statuses: clusters.map(({ name, statName, hosts, stats }) => ({
      name,
      // All come over ADS.
      added_via_api: true,
      observability_name: statName,
      host_statuses: hosts.map((host) => ({
        address: addressOf(host),
        stats: statsOf(host).map((stat) => ({ ...stat, value: String(stat.value) })),
        health_status: {
          eds_health_status: host.health.toUpperCase(),
          ...Object.fromEntries(flags.filter(([has]) => host[has] === true).map(([, , json]) => [json, true])),
        },
        weight: host.weight,
        hostname: host.hostname,
        priority: host.priority,
        locality: localityOf(host),
      })),
      ...(verbose ? { stats } : {}),
    })),
  };
}

function localityOf({ locality }: HostStatus): {
  readonly region: string;
  readonly zone: string;
  readonly sub_zone: string;
} {
  const [region = "", zone = "", subZone = ""] = locality.split("/");
  return { region, zone, sub_zone: subZone };
}

function addressOf({ address }: HostStatus): object {
  const colon = address.lastIndexOf(":");
  return addressJson(address.slice(0, colon), Number(address.slice(colon + 1)));
}
