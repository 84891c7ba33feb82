import { HealthStatus } from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import {
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
import type { HostHealth, HostSpec } from "@fairlead/proxy-upstream";
import { refuseOthers, rejection } from "./rejection.ts";
import { readAddress } from "./socket-address.ts";

const health: Readonly<Record<HealthStatus, HostHealth>> = {
  [HealthStatus.UNKNOWN]: "healthy",
  [HealthStatus.HEALTHY]: "healthy",
  [HealthStatus.UNHEALTHY]: "unhealthy",
  [HealthStatus.DRAINING]: "draining",
  [HealthStatus.TIMEOUT]: "unhealthy",
  [HealthStatus.DEGRADED]: "degraded",
};

/** @throws FairleadError FL_XDS_REJECTED */
export function readLoadAssignment(message: ClusterLoadAssignment, where = ""): HostSpec[] {
  // Overprovisioning is about more than one priority, which is refused below.
  refuseOthers(ClusterLoadAssignmentSchema, message, where, ["cluster_name", "endpoints", "policy"]);
  if (message.policy !== undefined) {
    refuseOthers(ClusterLoadAssignment_PolicySchema, message.policy, `${where}policy.`, ["overprovisioning_factor"]);
  }
  return message.endpoints.flatMap((locality, l) => {
    const field = `${where}endpoints[${l}]`;
    // A locality's own weight counts only with locality_weighted_lb_config, which clusters refuse.
    refuseOthers(LocalityLbEndpointsSchema, locality, `${field}.`, [
      "locality",
      "metadata",
      "lb_endpoints",
      "load_balancing_weight",
      "priority",
      "proximity",
    ]);
    if (locality.priority !== 0) throw rejection(`${field}.priority`, "only priority 0 is supported by this proxy");
    return locality.lbEndpoints.map((endpoint, e) => readEndpoint(endpoint, `${field}.lb_endpoints[${e}]`));
  });
}

function readEndpoint(message: LbEndpoint, where: string): HostSpec {
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
  return {
    ...readAddress(endpoint.address, `${where}.endpoint.address`),
    weight,
    health: health[message.healthStatus],
  };
}
