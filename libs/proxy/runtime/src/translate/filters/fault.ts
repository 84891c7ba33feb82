import { fromBinary } from "@bufbuild/protobuf";
import {
  FaultAbortSchema,
  type HTTPFault,
  HTTPFaultSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import {
  FaultDelaySchema,
  FaultRateLimitSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/common/fault/v3/fault_pb.js";
import {
  FaultConfig,
  faultFilter,
  type FaultSpec,
  registerRouteConfig,
  registerStreamFilter,
} from "@fairlead/proxy-filter";
import { durationMs } from "../duration.ts";
import { readHeader } from "../matchers.ts";
import { fractionOf } from "../percent.ts";
import { refuseOthers, rejection } from "../rejection.ts";
import { typeUrlOf } from "./type-url.ts";

/** What gRPC's statuses are in HTTP, for callers that do not speak gRPC. */
const httpOfGrpc: Readonly<Record<number, number>> = {
  0: 200, 1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501, 13: 500, 14: 503,
  15: 500, 16: 401,
}; // prettier-ignore

function readFault(message: HTTPFault, where: string): FaultSpec {
  refuseOthers(HTTPFaultSchema, message, where, [
    "delay",
    "abort",
    "upstream_cluster",
    "headers",
    "max_active_faults",
    "response_rate_limit",
    "response_rate_limit_percent_runtime",
    "disable_downstream_cluster_stats",
    // Names in a runtime that this proxy does not have: what they fall back to counts.
    "delay_percent_runtime",
    "abort_percent_runtime",
    "delay_duration_runtime",
    "abort_http_status_runtime",
    "max_active_faults_runtime",
    "abort_grpc_status_runtime",
  ]);
  return {
    delay: readDelay(message.delay, `${where}delay.`),
    abort: readAbort(message.abort, `${where}abort.`),
    responseRate: readRate(message.responseRateLimit, `${where}response_rate_limit.`),
    cluster: message.upstreamCluster,
    headers: message.headers.map((header, i) => readHeader(header, `${where}headers[${i}]`)),
    maxActive: message.maxActiveFaults ?? Number.POSITIVE_INFINITY,
  };
}

function readDelay(message: HTTPFault["delay"], where: string): FaultSpec["delay"] {
  if (message === undefined) return undefined;
  refuseOthers(FaultDelaySchema, message, where, ["fixed_delay", "header_delay", "percentage"]);
  const fraction = fractionOf(message.percentage, 0);
  if (message.faultDelaySecifier.case === "headerDelay") return { ms: undefined, fraction };
  if (message.faultDelaySecifier.case !== "fixedDelay") throw rejection(`${where}fixed_delay`, "is missing");
  const ms = durationMs(message.faultDelaySecifier.value, 0, `${where}fixed_delay`);
  return { ms, fraction };
}

function readRate(message: HTTPFault["responseRateLimit"], where: string): FaultSpec["responseRate"] {
  if (message === undefined) return undefined;
  refuseOthers(FaultRateLimitSchema, message, where, ["fixed_limit", "header_limit", "percentage"]);
  const fraction = fractionOf(message.percentage, 0);
  const { limitType } = message;
  if (limitType.case === "headerLimit") return { kbps: undefined, fraction };
  if (limitType.case !== "fixedLimit") throw rejection(where, "has neither fixed_limit nor header_limit");
  const kbps = Number(limitType.value.limitKbps);
  if (kbps < 1) throw rejection(`${where}fixed_limit.limit_kbps`, "is less than 1");
  return { kbps, fraction };
}

function readAbort(message: HTTPFault["abort"], where: string): FaultSpec["abort"] {
  if (message === undefined) return undefined;
  refuseOthers(FaultAbortSchema, message, where, ["http_status", "grpc_status", "header_abort", "percentage"]);
  const { errorType } = message;
  const fraction = fractionOf(message.percentage, 0);
  if (errorType.case === "headerAbort") return { httpStatus: undefined, grpcStatus: undefined, fraction };
  if (errorType.case === "grpcStatus")
    return { httpStatus: httpOfGrpc[errorType.value] ?? 500, grpcStatus: errorType.value, fraction };
  if (errorType.case !== "httpStatus") throw rejection(where, "has neither http_status nor grpc_status");
  if (errorType.value < 200 || errorType.value > 599)
    throw rejection(`${where}http_status`, "is not a status from 200 to 599");
  return { httpStatus: errorType.value, grpcStatus: undefined, fraction };
}

const read = (bytes: Uint8Array, where: string): FaultConfig =>
  new FaultConfig(readFault(fromBinary(HTTPFaultSchema, bytes), where), where);

registerStreamFilter(typeUrlOf(HTTPFaultSchema), (bytes, { name, where }) => faultFilter(read(bytes, where), name));
registerRouteConfig(typeUrlOf(HTTPFaultSchema), read);
