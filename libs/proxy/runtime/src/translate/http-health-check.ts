import { RequestMethod } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import {
  type HealthCheck_HttpHealthCheck as HttpCheckMessage,
  HealthCheck_HttpHealthCheckSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import { CodecClientType } from "@fairlead/envoy-api/envoy/type/v3/http_pb.js";
import type { HealthCheck } from "@fairlead/proxy-upstream";
import { readMutation } from "./header-mutations.ts";
import { readPathText } from "./path-text.ts";
import { refuseOthers, rejection } from "./rejection.ts";

type HttpCheck = Extract<HealthCheck["kind"], { type: "http" }>;
type Range = HttpCheck["expected"][number];

/** @throws FairleadError FL_XDS_REJECTED */
export function readHttpCheck(message: HttpCheckMessage, where: string, cluster: string): HttpCheck {
  refuseOthers(HealthCheck_HttpHealthCheckSchema, message, where, [
    "host",
    "path",
    "request_headers_to_add",
    "request_headers_to_remove",
    "expected_statuses",
    "retriable_statuses",
    "method",
    "codec_client_type",
  ]);
  // As in Envoy whatever the cluster's protocol is.
  if (message.codecClientType === CodecClientType.HTTP3)
    throw rejection(`${where}codec_client_type`, "HTTP3 is not supported by this proxy");
  const expected = message.expectedStatuses.map((range, i) => readRange(range, `${where}expected_statuses[${i}]`));
  return {
    type: "http",
    codec: message.codecClientType === CodecClientType.HTTP2 ? "http2" : "http1",
    path: readPathText(message.path, `${where}path`),
    host: message.host === "" ? cluster : message.host,
    method: message.method === RequestMethod.METHOD_UNSPECIFIED ? "GET" : RequestMethod[message.method],
    headers: readHeaders(message, where),
    expected: expected.length === 0 ? [[200, 201]] : expected,
    retriable: message.retriableStatuses.map((range, i) => readRange(range, `${where}retriable_statuses[${i}]`)),
  };
}

function readRange(range: { readonly start: bigint; readonly end: bigint }, field: string): Range {
  const [start, end] = [Number(range.start), Number(range.end)];
  if (start < 100 || end > 600 || start >= end) throw rejection(field, `${start} to ${end} is no range of 100 to 600`);
  return [start, end];
}

/** The same for each check: there is no request that a command operator could tell of. */
function readHeaders(message: HttpCheckMessage, where: string): readonly string[] {
  const { add = [], remove = [] } =
    readMutation(message.requestHeadersToAdd, message.requestHeadersToRemove, `${where}request_headers_to`) ?? {};
  let headers: (readonly [name: string, value: string])[] = [["user-agent", "fairlead/health-check"]];
  headers = headers.filter(([name]) => !remove.includes(name));
  for (const [i, { name, value, action, keepEmpty }] of add.entries()) {
    if (typeof value !== "string")
      throw rejection(
        `${where}request_headers_to_add[${i}].header.value`,
        "has a command operator: those are not supported in health checks",
      );
    if (value === "" && !keepEmpty) continue;
    const known = headers.some(([other]) => other === name);
    if (known ? action === "addIfAbsent" : action === "overwriteIfExists") continue;
    if (action !== "append") headers = headers.filter(([other]) => other !== name);
    headers.push([name, value]);
  }
  return headers.flat();
}
