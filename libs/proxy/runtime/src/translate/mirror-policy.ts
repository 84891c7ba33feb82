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
    "cluster_header",
    "runtime_fraction",
    "disable_shadow_host_suffix_append",
    // Whether the copy is traced is up to who sent it: its headers say.
    "trace_sampled",
  ]);
  const clusterHeader = message.clusterHeader.toLowerCase();
  if (message.cluster === "" && clusterHeader === "") throw rejection(`${where}.cluster`, "is empty");
  if (message.cluster !== "" && clusterHeader !== "")
    throw rejection(`${where}.cluster_header`, "is set together with cluster");
  return {
    cluster: message.cluster,
    ...(clusterHeader === "" ? {} : { clusterHeader }),
    fraction: runtimeFractionOf(message.runtimeFraction, 1),
    shadowSuffix: !message.disableShadowHostSuffixAppend,
  };
}
