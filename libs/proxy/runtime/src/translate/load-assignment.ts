import { isIP } from "node:net";
import { HealthStatus } from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import {
  type Endpoint,
  Endpoint_HealthCheckConfigSchema,
  EndpointSchema,
  LbEndpointSchema,
  type LbEndpoint,
  LocalityLbEndpointsSchema,
} from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_components_pb.js";
import {
  ClusterLoadAssignment_PolicySchema,
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import type { AssignmentPolicy, CheckedAt, HostHealth, HostSpec } from "@fairlead/proxy-upstream";
import { fractionOf } from "./percent.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readAddress, readSocketAddress } from "./socket-address.ts";
import { LB_NAMESPACE } from "./subsets.ts";
import { TLS_NAMESPACE } from "./tls-matches.ts";

const health: Readonly<Record<HealthStatus, HostHealth>> = {
  [HealthStatus.UNKNOWN]: "healthy",
  [HealthStatus.HEALTHY]: "healthy",
  [HealthStatus.UNHEALTHY]: "unhealthy",
  [HealthStatus.DRAINING]: "draining",
  [HealthStatus.TIMEOUT]: "unhealthy",
  [HealthStatus.DEGRADED]: "degraded",
};

/** The hosts of a cluster, and what is said of them all. */
export interface Assignment {
  readonly hosts: readonly HostSpec[];
  readonly policy: AssignmentPolicy;
}

/** An endpoint whose address may be a name. */
export type EndpointSpec = Omit<HostSpec, "address"> & { readonly address: string };

/** @throws FairleadError FL_XDS_REJECTED */
export function readLoadAssignment(message: ClusterLoadAssignment, where = ""): Assignment {
  return {
    hosts: readEndpoints(message, where, (address, field) => {
      if (isIP(address) === 0) throw rejection(field, `${address} is not an IP address`);
    }),
    policy: readAssignmentPolicy(message, where),
  };
}

/** @throws FairleadError FL_XDS_REJECTED */
export function readAssignmentPolicy({ policy }: ClusterLoadAssignment, where: string): AssignmentPolicy {
  const field = `${where}policy.`;
  if (policy !== undefined)
    refuseOthers(ClusterLoadAssignment_PolicySchema, policy, field, ["overprovisioning_factor", "drop_overloads"]);
  const { overprovisioningFactor = DEFAULT_OVERPROVISIONING, dropOverloads = [] } = policy ?? {};
  if (overprovisioningFactor < 100) throw rejection(`${field}overprovisioning_factor`, "is less than 100");
  // As in Envoy.
  if (dropOverloads.length > 1) throw rejection(`${field}drop_overloads`, "has more than one element");
  return {
    overprovisioningPercent: overprovisioningFactor,
    dropOverload: fractionOf(dropOverloads[0]?.dropPercentage, 0),
  };
}

const DEFAULT_OVERPROVISIONING = 140;
/** Priorities are few; a gap would be an empty level each. */
const MAX_PRIORITY = 128;

/** @param checkAddress throws for what is no address */
export function readEndpoints(
  message: ClusterLoadAssignment,
  where: string,
  checkAddress: (address: string, field: string) => void,
): EndpointSpec[] {
  refuseOthers(ClusterLoadAssignmentSchema, message, where, ["cluster_name", "endpoints", "policy"]);
  return message.endpoints.flatMap((locality, l) => {
    const field = `${where}endpoints[${l}]`;
    refuseOthers(LocalityLbEndpointsSchema, locality, `${field}.`, [
      "locality",
      "metadata",
      "lb_endpoints",
      "load_balancing_weight",
      "priority",
      "proximity",
    ]);
    if (locality.priority > MAX_PRIORITY) throw rejection(`${field}.priority`, `is more than ${MAX_PRIORITY}`);
    const { region = "", zone = "", subZone = "" } = locality.locality ?? {};
    const ofLocality = {
      priority: locality.priority,
      locality: `${region}/${zone}/${subZone}`,
      // Without a weight a locality gets nothing where localities are weighted, as in Envoy.
      localityWeight: locality.loadBalancingWeight ?? 0,
    };
    return locality.lbEndpoints.map((endpoint, e) => ({
      ...readEndpoint(endpoint, `${field}.lb_endpoints[${e}]`, checkAddress),
      ...ofLocality,
    }));
  });
}

function readEndpoint(
  message: LbEndpoint,
  where: string,
  checkAddress: (address: string, field: string) => void,
): EndpointSpec {
  refuseOthers(LbEndpointSchema, message, `${where}.`, [
    "endpoint",
    "health_status",
    "metadata",
    "load_balancing_weight",
  ]);
  if (message.hostIdentifier.case !== "endpoint") throw rejection(`${where}.endpoint`, "is missing");
  const endpoint = message.hostIdentifier.value;
  refuseOthers(EndpointSchema, endpoint, `${where}.endpoint.`, ["address", "hostname", "health_check_config"]);
  const weight = message.loadBalancingWeight ?? 1;
  if (weight < 1) throw rejection(`${where}.load_balancing_weight`, "is less than 1");
  const metadata = message.metadata?.filterMetadata[LB_NAMESPACE];
  const hashKey = metadata?.["hash_key"];
  const address = readSocketAddress(endpoint.address, `${where}.endpoint.address`);
  checkAddress(address.address, `${where}.endpoint.address.socket_address.address`);
  return {
    ...address,
    weight,
    health: health[message.healthStatus],
    hostname: endpoint.hostname,
    checkedAt: readCheckedAt(endpoint, `${where}.endpoint.health_check_config.`),
    ...(metadata === undefined ? {} : { metadata }),
    ...(message.metadata === undefined ? {} : { allMetadata: message.metadata.filterMetadata }),
    tlsMetadata: message.metadata?.filterMetadata[TLS_NAMESPACE],
    ...(typeof hashKey === "string" ? { hashKey } : {}),
  };
}

function readCheckedAt({ healthCheckConfig: config }: Endpoint, where: string): CheckedAt | undefined {
  if (config === undefined) return undefined;
  refuseOthers(Endpoint_HealthCheckConfigSchema, config, where, [
    "port_value",
    "hostname",
    "address",
    "disable_active_health_check",
  ]);
  const other = config.address === undefined ? undefined : readAddress(config.address, `${where}address`);
  if (config.portValue > 65_535) throw rejection(`${where}port_value`, "is more than 65535");
  return {
    address: other?.address,
    port: config.portValue === 0 ? other?.port : config.portValue,
    hostname: config.hostname === "" ? undefined : config.hostname,
    disabled: config.disableActiveHealthCheck,
  };
}
