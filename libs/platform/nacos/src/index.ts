export type { NacosCredentials } from "./access-token.ts";
export { type ConfigKey, ConfigItems } from "./config-items.ts";
export { type GroupEvents, GroupFollower, type GroupFollowerOptions } from "./group-follower.ts";
export type { NacosInstance, RegisteredInstance } from "./instance.ts";
export { NacosClient, type NacosEvents, type NacosOptions, type NacosState } from "./nacos-client.ts";
export { isRefusal } from "./nacos-error.ts";
export type { Message } from "./payload.ts";
export { Registrations, type WantedInstances } from "./registrations.ts";
export { parseNacosAddresses } from "./server-addresses.ts";
