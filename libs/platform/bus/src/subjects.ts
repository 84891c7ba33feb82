/** The subjects of the mesh. All messages are protobuf from proto/fairlead/v1. */
export const subjects = {
  /** RegistryChanged, by registry-sync. */
  registryChanged: "fairlead.v1.registry.changed",
  /** ConfigPushed, by config-compiler. */
  configPushed: "fairlead.v1.config.pushed",
  /** GatewayStatus, by each ads-gateway. */
  proxyStatus: "fairlead.v1.proxy.status",
} as const;

export const buckets = {
  /** Compiled resources, scopes, node views and the head: see proto/fairlead/v1/config.proto. */
  xds: "fairlead_xds",
} as const;
