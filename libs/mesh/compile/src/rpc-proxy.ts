import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { RpcProxySchema } from "@fairlead/fairlead-api";

/** The network filter of Fairlead's own proxies: an Envoy refuses a listener that has it. */
export function rpcProxyFilter(statPrefix: string, routeConfigName: string) {
  return {
    name: "fairlead.rpc_proxy",
    configType: {
      case: "typedConfig" as const,
      value: anyPack(RpcProxySchema, create(RpcProxySchema, { statPrefix, routeConfigName })),
    },
  };
}
