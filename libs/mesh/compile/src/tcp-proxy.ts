import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type Filter, FilterSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_components_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { durationOf } from "./durations.ts";

export interface ConnectionTarget {
  readonly cluster: string;
  readonly weight: number;
  /** @default Envoy's, 1 h; 0 = none */
  readonly idleTimeoutMs?: number | undefined;
}

/** Passes a connection on. */
export function tcpProxy(statPrefix: string, targets: readonly ConnectionTarget[]): Filter {
  const [only] = targets;
  const idleTimeoutMs = targets.map((target) => target.idleTimeoutMs).find((timeout) => timeout !== undefined);
  const message = create(TcpProxySchema, {
    statPrefix,
    clusterSpecifier:
      targets.length === 1
        ? { case: "cluster", value: only!.cluster }
        : {
            case: "weightedClusters",
            value: {
              clusters: targets
                .filter(({ weight }) => weight > 0)
                .map(({ cluster, weight }) => ({ name: cluster, weight })),
            },
          },
    ...(idleTimeoutMs === undefined ? {} : { idleTimeout: durationOf(idleTimeoutMs) }),
  });
  return create(FilterSchema, {
    name: "envoy.filters.network.tcp_proxy",
    configType: { case: "typedConfig", value: anyPack(TcpProxySchema, message) },
  });
}
