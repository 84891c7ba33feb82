import { fromBinary } from "@bufbuild/protobuf";
import { HealthCheckSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/health_check/v3/health_check_pb.js";
import { healthCheckFilter, registerStreamFilter } from "@fairlead/proxy-filter";
import { durationMs } from "../duration.ts";
import { readHeader } from "../matchers.ts";
import { refuseOthers, rejection } from "../rejection.ts";
import { typeUrlOf } from "./type-url.ts";

registerStreamFilter(typeUrlOf(HealthCheckSchema), (bytes, { where }) => {
  const message = fromBinary(HealthCheckSchema, bytes);
  refuseOthers(HealthCheckSchema, message, where, [
    "pass_through_mode",
    "headers",
    "cache_time",
    "cluster_min_healthy_percentages",
  ]);
  const { passThroughMode: passThrough } = message;
  if (passThrough === undefined) throw rejection(`${where}pass_through_mode`, "is missing");
  const cacheMs = durationMs(message.cacheTime, 0, `${where}cache_time`);
  if (cacheMs > 0 && !passThrough) throw rejection(`${where}cache_time`, "is only for pass_through_mode");
  const leastHealthy = new Map(
    Object.entries(message.clusterMinHealthyPercentages).map(([name, { value }]) => [name, Math.trunc(value)]),
  );
  if (leastHealthy.size > 0 && passThrough)
    throw rejection(`${where}cluster_min_healthy_percentages`, "is not for pass_through_mode");
  const headers = message.headers.map((header, i) => readHeader(header, `${where}headers[${i}]`));
  return healthCheckFilter({ passThrough, headers, cacheMs, leastHealthy }, where);
});
