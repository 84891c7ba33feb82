import {
  type RouteAction_RequestMirrorPolicy as MirrorMessage,
  RouteAction_RequestMirrorPolicySchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type { MirrorPolicy } from "@fairlead/proxy-router";
import { runtimeFractionOf } from "./percent.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** @throws FairleadError FL_XDS_REJECTED */
export function readMirrorPolicy(message: MirrorMessage, where: string): MirrorPolicy {
  refuseOthers(RouteAction_RequestMirrorPolicySchema, message, `${where}.`, [
    "cluster",
    "runtime_fraction",
    "disable_shadow_host_suffix_append",
    // Whether the copy is traced is up to who sent it: its headers say.
    "trace_sampled",
  ]);
  if (message.cluster === "") throw rejection(`${where}.cluster`, "is empty");
  return {
    cluster: message.cluster,
    fraction: runtimeFractionOf(message.runtimeFraction, 1),
    shadowSuffix: !message.disableShadowHostSuffixAppend,
  };
}
