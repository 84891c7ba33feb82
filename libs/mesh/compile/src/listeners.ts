import { create } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { TrafficDirection } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { type MeshNode, type Service, serviceKey, takesRpcCalls } from "@fairlead/model";
import { compiled, type RenderedResource } from "./compiled.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import { inboundListenerName, outboundListenerName, outboundRpcListenerName } from "./names.ts";
import { rpcProxyFilter } from "./rpc-proxy.ts";

type CidrRangeInit = { readonly addressPrefix: string; readonly prefixLen: number };

function listener(
  node: MeshNode,
  name: string,
  address: string,
  port: number,
  direction: TrafficDirection,
  protocols: { readonly http: boolean; readonly rpc: boolean; readonly sources?: readonly CidrRangeInit[] },
): RenderedResource {
  const message = create(ListenerSchema, {
    name,
    address: {
      address: { case: "socketAddress", value: { address, portSpecifier: { case: "portValue", value: port } } },
    },
    trafficDirection: direction,
    filterChains: [
      {
        ...(protocols.sources === undefined
          ? {}
          : { filterChainMatch: { sourcePrefixRanges: [...protocols.sources] } }),
        filters: [
          ...(protocols.rpc ? [rpcProxyFilter(name, name)] : []),
          ...(protocols.http
            ? [
                {
                  name: "envoy.filters.network.http_connection_manager",
                  configType: {
                    case: "typedConfig" as const,
                    value: httpConnectionManager(name, name, "canonical"),
                  },
                },
              ]
            : []),
        ],
      },
    ],
  });
  return compiled({ key: `lds/${node.id}/${name}`, typeUrl: typeUrls.listener, name }, ListenerSchema, message, [
    { kind: "node", key: node.id },
  ]);
}

/** Takes the application's calls, on loopback only. */
export function outboundListener(node: MeshNode, port: number): RenderedResource {
  return listener(node, outboundListenerName, "127.0.0.1", port, TrafficDirection.OUTBOUND, {
    http: true,
    rpc: false,
  });
}

/**
 * Takes the application's Dubbo and bolt calls, and nobody else's. Dubbo for Java puts the host's own address in the place of 127.0.0.1, so
 * that it listens on that too, for who comes from there.
 */
export function outboundRpcListener(node: MeshNode, port: number): RenderedResource {
  const any = anyAddressFor(node.address);
  const own = any === node.address;
  return listener(node, outboundRpcListenerName, own ? "127.0.0.1" : any, port, TrafficDirection.OUTBOUND, {
    http: false,
    rpc: true,
    ...(own ? {} : { sources: fromThisHost(node.address) }),
  });
}

function fromThisHost(address: string): CidrRangeInit[] {
  const ranges = [
    ["127.0.0.0", 8],
    ["::1", 128],
    [address, address.includes(":") ? 128 : 32],
  ] as const;
  return ranges.map(([addressPrefix, prefixLen]) => ({ addressPrefix, prefixLen }));
}

/** Takes calls for the application: on all interfaces, unless the node is reached over loopback only. */
export function inboundListener(node: MeshNode, port: number): RenderedResource {
  return listener(node, inboundListenerName, anyAddressFor(node.address), port, TrafficDirection.INBOUND, {
    http: true,
    rpc: takesRpcCalls(node),
  });
}

export function anyAddressFor(address: string): string {
  if (address.startsWith("127.") || address === "::1") return address;
  return address.includes(":") ? "::" : "0.0.0.0";
}

/** What a proxyless gRPC client asks for by the name that it dials: no address, only routes. */
export function apiListener(service: Service): RenderedResource {
  const name = service.interface;
  const message = create(ListenerSchema, {
    name,
    apiListener: { apiListener: httpConnectionManager(name, name, "asGiven") },
  });
  return compiled(
    { key: `lds/api/${name}`, typeUrl: typeUrls.listener, name, onDemand: true },
    ListenerSchema,
    message,
    [{ kind: "service", key: serviceKey(service) }],
  );
}
