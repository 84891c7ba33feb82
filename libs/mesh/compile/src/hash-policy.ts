import { create } from "@bufbuild/protobuf";
import {
  type RouteAction_HashPolicy,
  RouteAction_HashPolicySchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type { ConsistentHash } from "@fairlead/policy";
import { durationOf } from "./durations.ts";

/** By what a call's instance is chosen: said on the route, although a DestinationRule asks for it. */
export function hashPolicy(hash: ConsistentHash): RouteAction_HashPolicy {
  if (hash.httpHeaderName !== undefined) {
    return create(RouteAction_HashPolicySchema, {
      policySpecifier: { case: "header", value: { headerName: hash.httpHeaderName.toLowerCase() } },
    });
  }
  if (hash.httpCookie !== undefined) {
    const { name, path, ttl, attributes } = hash.httpCookie;
    return create(RouteAction_HashPolicySchema, {
      policySpecifier: {
        case: "cookie",
        value: {
          name,
          path: path ?? "",
          ...(ttl === undefined ? {} : { ttl: durationOf(ttl) }),
          attributes: attributes ?? [],
        },
      },
    });
  }
  if (hash.httpQueryParameterName !== undefined) {
    return create(RouteAction_HashPolicySchema, {
      policySpecifier: { case: "queryParameter", value: { name: hash.httpQueryParameterName } },
    });
  }
  return create(RouteAction_HashPolicySchema, {
    policySpecifier: { case: "connectionProperties", value: { sourceIp: true } },
  });
}
