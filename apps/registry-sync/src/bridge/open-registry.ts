import type { Logger } from "@fairlead/logging";
import type { BridgedRegistry } from "./bridged-registry.ts";
import type { ForeignRegistry, ForeignRegistryEvents } from "./foreign-registry.ts";
import { NacosRegistry } from "./nacos-registry.ts";
import { ZooKeeperRegistry } from "./zookeeper-registry.ts";

export interface OpenRegistryOptions {
  readonly registry: BridgedRegistry;
  readonly sessionTimeoutMs: number;
  readonly logger: Logger;
}

/** The registry that a setting names, by its scheme; not started. */
export function openRegistry(
  { registry, sessionTimeoutMs, logger }: OpenRegistryOptions,
  events: ForeignRegistryEvents,
): ForeignRegistry {
  const { nacos, servers, interfaces } = registry;
  if (nacos !== undefined)
    return new NacosRegistry({ ...nacos, servers, interfaces, sessionTimeoutMs, logger }, events);
  return new ZooKeeperRegistry({ ...registry, sessionTimeoutMs, logger }, events);
}
