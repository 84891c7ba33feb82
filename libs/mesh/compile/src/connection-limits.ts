import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { CircuitBreakers_ThresholdsSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/circuit_breaker_pb.js";
import {
  type HttpProtocolOptions,
  HttpProtocolOptionsSchema,
} from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import type { ConnectionPool } from "@fairlead/policy";
import type { ClusterInit } from "./cluster-init.ts";
import { durationOf } from "./durations.ts";
import type { EffectivePolicy } from "./effective-policy.ts";

type ThresholdsInit = MessageInitShape<typeof CircuitBreakers_ThresholdsSchema>;

export const httpOptionsName = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** Istio's limit is none; Envoy's 3 retries at a time are too few: a host that dies under load has more calls to be repeated. */
const maxConcurrentRetries = 1024;

function seconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1000));
}

function thresholds({ connectionPool, retryBudget }: EffectivePolicy): ThresholdsInit {
  const { tcp, http } = connectionPool ?? {};
  return {
    maxRetries: http?.maxRetries ?? maxConcurrentRetries,
    ...(tcp?.maxConnections === undefined ? {} : { maxConnections: tcp.maxConnections }),
    ...(http?.http1MaxPendingRequests === undefined ? {} : { maxPendingRequests: http.http1MaxPendingRequests }),
    ...(http?.http2MaxRequests === undefined ? {} : { maxRequests: http.http2MaxRequests }),
    ...(retryBudget === undefined
      ? {}
      : {
          retryBudget: {
            ...(retryBudget.percent === undefined ? {} : { budgetPercent: { value: retryBudget.percent } }),
            ...(retryBudget.minRetryConcurrency === undefined
              ? {}
              : { minRetryConcurrency: retryBudget.minRetryConcurrency }),
          },
        }),
  };
}

function protocol(http2: boolean, http: ConnectionPool["http"]): HttpProtocolOptions["upstreamProtocolOptions"] {
  const http2ProtocolOptions =
    http?.maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams: http.maxConcurrentStreams };
  const options =
    http?.useClientProtocol === true
      ? ({ case: "useDownstreamProtocolConfig", value: { httpProtocolOptions: {}, http2ProtocolOptions } } as const)
      : http2 || http?.h2UpgradePolicy === "UPGRADE"
        ? ({
            case: "explicitHttpConfig",
            value: { protocolConfig: { case: "http2ProtocolOptions", value: http2ProtocolOptions } },
          } as const)
        : ({
            case: "explicitHttpConfig",
            value: { protocolConfig: { case: "httpProtocolOptions", value: {} } },
          } as const);
  return create(HttpProtocolOptionsSchema, { upstreamProtocolOptions: options }).upstreamProtocolOptions;
}

/**
 * What is said of HTTP towards a cluster; nothing where Envoy's defaults hold.
 *
 * @param http2 the upstream speaks HTTP/2; Envoy's default is HTTP/1.1
 */
export function httpOptions(http2: boolean, pool: ConnectionPool | undefined): ClusterInit {
  const { tcp, http } = pool ?? {};
  const common = {
    ...(http?.idleTimeout === undefined ? {} : { idleTimeout: durationOf(http.idleTimeout) }),
    ...(http?.maxRequestsPerConnection === undefined || http.maxRequestsPerConnection === 0
      ? {}
      : { maxRequestsPerConnection: http.maxRequestsPerConnection }),
    ...(tcp?.maxConnectionDuration === undefined
      ? {}
      : { maxConnectionDuration: durationOf(tcp.maxConnectionDuration) }),
  };
  const hasCommon = Object.keys(common).length > 0;
  const upgrades = http?.useClientProtocol === true || http?.h2UpgradePolicy === "UPGRADE";
  if (!http2 && !upgrades && !hasCommon) return {};
  const options = create(HttpProtocolOptionsSchema, {
    ...(hasCommon ? { commonHttpProtocolOptions: common } : {}),
    upstreamProtocolOptions: protocol(http2, http),
  });
  return { typedExtensionProtocolOptions: { [httpOptionsName]: anyPack(HttpProtocolOptionsSchema, options) } };
}

/** Limits towards a cluster, as far as they are not HTTP's. */
export function connectionLimits(policy: EffectivePolicy): ClusterInit {
  const keepalive = policy.connectionPool?.tcp?.tcpKeepalive;
  return {
    circuitBreakers: { thresholds: [thresholds(policy)] },
    ...(keepalive === undefined
      ? {}
      : {
          upstreamConnectionOptions: {
            tcpKeepalive: {
              ...(keepalive.probes === undefined ? {} : { keepaliveProbes: keepalive.probes }),
              ...(keepalive.time === undefined ? {} : { keepaliveTime: seconds(keepalive.time) }),
              ...(keepalive.interval === undefined ? {} : { keepaliveInterval: seconds(keepalive.interval) }),
            },
          },
        }),
  };
}
