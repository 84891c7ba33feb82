import type { ConfigSource } from "@fairlead/envoy-api/envoy/config/core/v3/config_source_pb.js";
import { rejection } from "./rejection.ts";

/** The proxy has one stream that all resources come from. @throws FairleadError FL_XDS_REJECTED */
export function checkAds(source: ConfigSource | undefined, where: string): void {
  const kind = source?.configSourceSpecifier.case;
  if (kind !== "ads" && kind !== "self") throw rejection(where, "only ads is supported by this proxy");
}
