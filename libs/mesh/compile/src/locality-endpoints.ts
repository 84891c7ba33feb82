import { create } from "@bufbuild/protobuf";
import {
  type LocalityLbEndpoints,
  LocalityLbEndpointsSchema,
} from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_components_pb.js";
import { compareText } from "./compare-text.ts";

export interface WeightedEndpoint {
  readonly address: string;
  readonly port: number;
  readonly weight: number;
}

export interface LocatedEndpoint extends WeightedEndpoint {
  /** `region/zone/subzone`; empty = none is known. */
  readonly locality: string;
  /** As far as priorities may go by them. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** @param locality empty = without a name. gRPC refuses an unset locality, and skips one without a weight. */
export function localityEndpoints(
  endpoints: readonly WeightedEndpoint[],
  locality = "",
  weight = 1,
  priority = 0,
): LocalityLbEndpoints {
  const [region = "", zone = "", subZone = ""] = locality.split("/");
  return create(LocalityLbEndpointsSchema, {
    locality: { region, zone, subZone },
    loadBalancingWeight: weight,
    priority,
    lbEndpoints: endpoints.map(({ address, port, weight: share }) => ({
      hostIdentifier: {
        case: "endpoint" as const,
        value: {
          address: {
            address: {
              case: "socketAddress" as const,
              value: { address, portSpecifier: { case: "portValue" as const, value: port } },
            },
          },
        },
      },
      loadBalancingWeight: share,
    })),
  });
}

/** By locality; a locality weighs as much as its endpoints together, so that where they are does not matter. */
export function byLocality(endpoints: readonly LocatedEndpoint[], priority = 0): LocalityLbEndpoints[] {
  const groups = [...Map.groupBy(endpoints, ({ locality }) => locality)].toSorted(([a], [b]) => compareText(a, b));
  if (groups.length === 1)
    return groups.map(([locality, members]) => localityEndpoints(members, locality, 1, priority));
  return groups.map(([locality, members]) =>
    localityEndpoints(
      members,
      locality,
      members.reduce((sum, { weight }) => sum + weight, 0),
      priority,
    ),
  );
}
