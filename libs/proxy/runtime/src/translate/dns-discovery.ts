import { isIP } from "node:net";
import { type Cluster, Cluster_DnsLookupFamily } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import type { AssignmentPolicy } from "@fairlead/proxy-upstream";
import { durationMs } from "./duration.ts";
import { type EndpointSpec, readAssignmentPolicy, readEndpoints } from "./load-assignment.ts";
import { rejection } from "./rejection.ts";

export interface DnsDiscovery {
  /** LOGICAL_DNS: one address at a time is used, whichever DNS says now. STRICT_DNS: all of them. */
  readonly logical: boolean;
  readonly endpoints: readonly EndpointSpec[];
  readonly policy: AssignmentPolicy;
  /** @default 5000 */
  readonly refreshMs: number;
  /** After a failure. @default refreshMs */
  readonly failureRefreshMs: number;
  /** The time to live of the answer is waited for in the place of `refreshMs`. @default false */
  readonly respectTtl: boolean;
  /** Who waits for the cluster waits for the first answer. @default true */
  readonly warms: boolean;
  /** `auto`: IPv6, and IPv4 when there is none. @default "auto" */
  readonly family: "auto" | "v4" | "v6" | "v4Preferred" | "all";
}

const families: Readonly<Record<Cluster_DnsLookupFamily, DnsDiscovery["family"]>> = {
  [Cluster_DnsLookupFamily.AUTO]: "auto",
  [Cluster_DnsLookupFamily.V4_ONLY]: "v4",
  [Cluster_DnsLookupFamily.V6_ONLY]: "v6",
  [Cluster_DnsLookupFamily.V4_PREFERRED]: "v4Preferred",
  [Cluster_DnsLookupFamily.ALL]: "all",
};

const DEFAULT_REFRESH_MS = 5000;
/** Below it a proxy would do nothing else. */
const LEAST_REFRESH_MS = 10;

/** @throws FairleadError FL_XDS_REJECTED */
export function readDnsDiscovery(message: Cluster, logical: boolean): DnsDiscovery {
  const assignment = message.loadAssignment;
  const where = "load_assignment.";
  if (assignment === undefined) throw rejection("load_assignment", "is missing in a DNS cluster");
  const endpoints = readEndpoints(assignment, where, (address, field) => {
    if (isIP(address) === 0 && !/^[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})$/.test(address))
      throw rejection(field, `${address} is not a name`);
  });
  if (logical && endpoints.length !== 1) throw rejection(`${where}endpoints`, "a LOGICAL_DNS cluster has exactly one");
  const refreshMs = Math.max(
    durationMs(message.dnsRefreshRate, DEFAULT_REFRESH_MS, "dns_refresh_rate"),
    LEAST_REFRESH_MS,
  );
  return {
    logical,
    endpoints,
    policy: readAssignmentPolicy(assignment, where),
    refreshMs,
    failureRefreshMs: Math.max(
      durationMs(message.dnsFailureRefreshRate?.baseInterval, refreshMs, "dns_failure_refresh_rate.base_interval"),
      LEAST_REFRESH_MS,
    ),
    warms: message.waitForWarmOnInit ?? true,
    respectTtl: message.respectDnsTtl,
    family: families[message.dnsLookupFamily],
  };
}
