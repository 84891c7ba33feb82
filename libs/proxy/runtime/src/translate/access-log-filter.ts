import {
  type AccessLogFilter,
  type ComparisonFilter,
  ComparisonFilter_Op,
  GrpcStatusFilter_Status,
} from "@fairlead/envoy-api/envoy/config/accesslog/v3/accesslog_pb.js";
import { isResponseFlag, type StreamInfo } from "@fairlead/proxy-filter";
import { compileHeader, isGrpc, MatchTooLong } from "@fairlead/proxy-router";
import { type Comparison, compares, flagFilter, type LogFilter } from "../access-log/log-filter.ts";
import { readHeader } from "./matchers.ts";
import { fractionOf } from "./percent.ts";
import { rejection } from "./rejection.ts";

/** @throws FairleadError FL_XDS_REJECTED, FL_ROUTE_INVALID */
export function readLogFilter(message: AccessLogFilter, where: string): LogFilter {
  const { filterSpecifier: filter } = message;
  switch (filter.case) {
    case "statusCodeFilter":
      return comparison(filter.value.comparison, ({ status }) => status, `${where}status_code_filter.comparison`);
    case "durationFilter": {
      const durationMs = ({ startMs, endMs }: StreamInfo) => Math.trunc(endMs - startMs);
      return comparison(filter.value.comparison, durationMs, `${where}duration_filter.comparison`);
    }
    case "andFilter": {
      const all = filter.value.filters.map((it, i) => readLogFilter(it, `${where}and_filter.filters[${i}].`));
      return (info) => all.every((matches) => matches(info));
    }
    case "orFilter": {
      const any = filter.value.filters.map((it, i) => readLogFilter(it, `${where}or_filter.filters[${i}].`));
      return (info) => any.some((matches) => matches(info));
    }
    case "headerFilter": {
      if (filter.value.header === undefined) throw rejection(`${where}header_filter.header`, "is missing");
      const field = `${where}header_filter.header`;
      const matches = compileHeader(readHeader(filter.value.header, field), field);
      return ({ request }) => request !== undefined && unlessTooLong(() => matches(request));
    }
    case "responseFlagFilter": {
      const unknown = filter.value.flags.find((flag) => !isResponseFlag(flag));
      if (unknown !== undefined)
        throw rejection(`${where}response_flag_filter.flags`, `${unknown} is not a flag of this proxy`);
      return flagFilter(filter.value.flags);
    }
    case "grpcStatusFilter": {
      const { exclude } = filter.value;
      const statuses = new Set(filter.value.statuses.map((status) => String(status)));
      return (info) => statuses.has(grpcStatusOf(info)) !== exclude;
    }
    case "runtimeFilter": {
      const share = fractionOf(filter.value.percentSampled, 0);
      return () => Math.random() < share;
    }
    case "notHealthCheckFilter":
      return ({ details }) => details !== "health_check_ok";
    default:
      throw rejection(`${where}${filter.case ?? "filter_specifier"}`, "is not supported by this proxy");
  }
}

const operators: Readonly<Record<number, Comparison>> = {
  [ComparisonFilter_Op.EQ]: "eq",
  [ComparisonFilter_Op.GE]: "ge",
  [ComparisonFilter_Op.LE]: "le",
};

function comparison(
  message: ComparisonFilter | undefined,
  get: (info: StreamInfo) => number,
  field: string,
): LogFilter {
  const wanted = message?.value?.defaultValue;
  const operator = message === undefined ? undefined : operators[message.op];
  if (wanted === undefined) throw rejection(field, "has no value");
  if (operator === undefined) throw rejection(`${field}.op`, "is not supported by this proxy");
  return (info) => compares(operator, get(info), wanted);
}

/** Of a call that is not gRPC's, what its status would be is not guessed: as UNKNOWN. */
function grpcStatusOf({ request, response, trailers }: StreamInfo): string {
  const known = trailers?.get("grpc-status") ?? response?.headers.get("grpc-status");
  const isCall = request !== undefined && isGrpc(request);
  return isCall && known !== undefined ? known : String(GrpcStatusFilter_Status.UNKNOWN);
}

/** What cannot be decided is logged. */
function unlessTooLong(matches: () => boolean): boolean {
  try {
    return matches();
  } catch (error) {
    if (error instanceof MatchTooLong) return true;
    throw error;
  }
}
