import { fromBinary } from "@bufbuild/protobuf";
import { HealthCheckSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/health_check/v3/health_check_pb.js";
import { healthCheckFilter, registerStreamFilter } from "@fairlead/proxy-filter";
import { readHeader } from "../matchers.ts";
import { refuseOthers, rejection } from "../rejection.ts";
import { typeUrlOf } from "./type-url.ts";

registerStreamFilter(typeUrlOf(HealthCheckSchema), (bytes, { where }) => {
  const message = fromBinary(HealthCheckSchema, bytes);
  refuseOthers(HealthCheckSchema, message, where, ["pass_through_mode", "headers"]);
  if (message.passThroughMode === undefined) throw rejection(`${where}pass_through_mode`, "is missing");
  const headers = message.headers.map((header, i) => readHeader(header, `${where}headers[${i}]`));
  return healthCheckFilter({ passThrough: message.passThroughMode, headers }, where);
});
