export { type ClusterStatus, type HostStatus } from "./cluster-status.ts";
export { coresAvailable, createDataPlane, type DataPlane, type DataPlaneOptions } from "./data-plane.ts";
export { type ListenerState, type ListenerStatus } from "./listener-status.ts";
export { ProxyRuntime } from "./proxy-runtime.ts";
export { type ProxyRuntimeOptions, type RuntimeLogger } from "./runtime-options.ts";
export { type HandedSocket, type SocketRequest, type SocketSource } from "./socket-source.ts";
export { type XdsRejection, type XdsResource } from "./xds-resource.ts";
export { type AccessLogSpec, defaultAccessLog } from "./access-log/access-log.ts";
export { type LogTarget } from "./access-log/log-file.ts";
