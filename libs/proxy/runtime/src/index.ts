export { type ListenerState, type ListenerStatus, ProxyRuntime } from "./proxy-runtime.ts";
export { type ProxyRuntimeOptions, type RuntimeLogger } from "./runtime-options.ts";
export { type XdsRejection, type XdsResource } from "./xds-resource.ts";
