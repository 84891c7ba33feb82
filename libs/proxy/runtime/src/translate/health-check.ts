import {
  type HealthCheck as HealthCheckMessage,
  HealthCheck_HttpHealthCheckSchema,
  type HealthCheck_Payload,
  HealthCheck_GrpcHealthCheckSchema,
  HealthCheck_TcpHealthCheckSchema,
  HealthCheckSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import { RequestMethod } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import type { HealthCheck } from "@fairlead/proxy-upstream";
import { durationMs } from "./duration.ts";
import { readMutation } from "./header-mutations.ts";
import { readPathText } from "./path-text.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** @throws FairleadError FL_XDS_REJECTED */
export function readHealthChecks(messages: readonly HealthCheckMessage[], cluster: string): HealthCheck[] {
  if (messages.length > 1) throw rejection("health_checks", "more than one is not supported by this proxy");
  return messages.map((message) => readHealthCheck(message, "health_checks[0].", cluster));
}

function readHealthCheck(message: HealthCheckMessage, where: string, cluster: string): HealthCheck {
  refuseOthers(HealthCheckSchema, message, where, [
    "timeout",
    "interval",
    "interval_jitter",
    "unhealthy_threshold",
    "healthy_threshold",
    "alt_port",
    "http_health_check",
    "tcp_health_check",
    "grpc_health_check",
    "no_traffic_interval",
    "unhealthy_interval",
    ...(message.reuseConnection === false ? [] : ["reuse_connection"]),
  ]);
  const intervalMs = required(message.interval, `${where}interval`);
  return {
    kind: readKind(message, where, cluster),
    timeoutMs: required(message.timeout, `${where}timeout`),
    intervalMs,
    jitterMs: durationMs(message.intervalJitter, 0, `${where}interval_jitter`),
    noTrafficIntervalMs: durationMs(message.noTrafficInterval, 60_000, `${where}no_traffic_interval`),
    unhealthyIntervalMs: durationMs(message.unhealthyInterval, intervalMs, `${where}unhealthy_interval`),
    unhealthyThreshold: message.unhealthyThreshold ?? missing(`${where}unhealthy_threshold`),
    healthyThreshold: message.healthyThreshold ?? missing(`${where}healthy_threshold`),
    port: message.altPort,
  };
}

function required(duration: HealthCheckMessage["interval"], field: string): number {
  const ms = durationMs(duration, 0, field);
  return ms > 0 ? ms : missing(field);
}

function missing(field: string): never {
  throw rejection(field, "is missing");
}

function readKind(message: HealthCheckMessage, where: string, cluster: string): HealthCheck["kind"] {
  const { healthChecker: checker } = message;
  switch (checker.case) {
    case "httpHealthCheck": {
      const field = `${where}http_health_check.`;
      refuseOthers(HealthCheck_HttpHealthCheckSchema, checker.value, field, [
        "host",
        "path",
        "request_headers_to_add",
        "expected_statuses",
        "retriable_statuses",
        "method",
        // By the protocol of the cluster.
        "codec_client_type",
      ]);
      const added = readMutation(checker.value.requestHeadersToAdd, [], `${field}request_headers_to`);
      const range = ({ start, end }: { readonly start: bigint; readonly end: bigint }) =>
        [Number(start), Number(end)] as const;
      const expected = checker.value.expectedStatuses.map(range);
      return {
        type: "http",
        path: readPathText(checker.value.path, `${field}path`),
        host: checker.value.host === "" ? cluster : checker.value.host,
        method: checker.value.method === RequestMethod.METHOD_UNSPECIFIED ? "GET" : RequestMethod[checker.value.method],
        headers: (added?.add ?? []).flatMap(({ name, value }) => (typeof value === "string" ? [name, value] : [])),
        expected: expected.length === 0 ? [[200, 201]] : expected,
        retriable: checker.value.retriableStatuses.map(range),
      };
    }
    case "tcpHealthCheck": {
      refuseOthers(HealthCheck_TcpHealthCheckSchema, checker.value, `${where}tcp_health_check.`, ["send", "receive"]);
      return {
        type: "tcp",
        send: payload(checker.value.send),
        receive: checker.value.receive.map(payload),
      };
    }
    case "grpcHealthCheck":
      refuseOthers(HealthCheck_GrpcHealthCheckSchema, checker.value, `${where}grpc_health_check.`, [
        "service_name",
        "authority",
      ]);
      if (Buffer.byteLength(checker.value.serviceName) > 120)
        throw rejection(`${where}grpc_health_check.service_name`, "is longer than 120 bytes");
      return {
        type: "grpc",
        service: checker.value.serviceName,
        authority: checker.value.authority === "" ? cluster : checker.value.authority,
      };
    default:
      throw rejection(where, "has none of http_health_check, tcp_health_check, grpc_health_check");
  }
}

function payload(message: HealthCheck_Payload | undefined): Buffer {
  const source = message?.payload;
  if (source?.case === "binary") return Buffer.from(source.value);
  return source?.case === "text" ? Buffer.from(source.value, "hex") : Buffer.alloc(0);
}
