import { create } from "@bufbuild/protobuf";
import {
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/config_source_pb.js";

/** "Over the stream that you have." */
export function adsConfigSource(): ConfigSource {
  return create(ConfigSourceSchema, {
    configSourceSpecifier: { case: "ads", value: {} },
    resourceApiVersion: ApiVersion.V3,
  });
}
