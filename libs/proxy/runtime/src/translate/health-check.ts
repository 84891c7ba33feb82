import {
  type HealthCheck as HealthCheckMessage,
  type HealthCheck_Payload,
  HealthCheck_GrpcHealthCheckSchema,
  HealthCheck_TcpHealthCheckSchema,
  HealthCheckSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import { ALPN_PROTOCOL, CLIENT_PROTOCOL, type HealthCheck } from "@fairlead/proxy-upstream";
import { durationMs } from "./duration.ts";
import { readHttpCheck } from "./http-health-check.ts";
import { refuseOthers, rejection } from "./rejection.ts";

const withHttp2: ReadonlySet<string> = new Set(["http2", ALPN_PROTOCOL, CLIENT_PROTOCOL]);

/** @throws FairleadError FL_XDS_REJECTED */
export function readHealthChecks(
  messages: readonly HealthCheckMessage[],
  cluster: string,
  protocol: string,
): HealthCheck[] {
  // As in Envoy.
  if (messages.length > 1) throw rejection("health_checks", "more than one is not supported by this proxy");
  if (messages[0]?.healthChecker.case === "grpcHealthCheck" && !withHttp2.has(protocol))
    throw rejection("health_checks[0].grpc_health_check", "is for clusters whose hosts speak HTTP/2");
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
    "reuse_connection",
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
    reuseConnection: message.reuseConnection ?? true,
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
    case "httpHealthCheck":
      return readHttpCheck(checker.value, `${where}http_health_check.`, cluster);
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
