import { getHeapStatistics } from "node:v8";
import {
  defaultOverloadActions,
  descriptorShare,
  memoryLimitBytes,
  openFileLimit,
  type OverloadAction,
  type OverloadConfig,
  OverloadManager,
  type OverloadResource,
  type OverloadStats,
  parseOverloadActions,
} from "@fairlead/proxy-overload";
import type { RuntimeLogger } from "./runtime-options.ts";

export interface OverloadSources {
  readonly stats: OverloadStats;
  readonly logger: RuntimeLogger;
  /** Of clients, in all threads. */
  readonly connections: () => number;
  readonly loopDelayMs: (() => number) | undefined;
  readonly onChange: (action: OverloadAction, active: boolean) => void;
}

/** Watches what is limited, for the calling thread: memory and connections are the process's, heap and event loop its own. */
export function watchOverload(config: OverloadConfig, sources: OverloadSources): OverloadManager {
  const { loopDelayMs, connections, logger, stats } = sources;
  const { maxMemoryBytes = memoryLimitBytes(), maxEventLoopDelayMs, maxConnections } = config;
  const pressures: Partial<Record<OverloadResource, () => number>> = { heap: heapPressure };
  if (maxMemoryBytes !== undefined) pressures.memory = () => process.memoryUsage.rss() / maxMemoryBytes;
  if (maxEventLoopDelayMs !== undefined && loopDelayMs !== undefined)
    pressures.event_loop_delay = () => loopDelayMs() / maxEventLoopDelayMs;
  if (maxConnections !== undefined) pressures.connections = () => connections() / maxConnections;
  const maxFiles = openFileLimit();
  if (maxFiles !== undefined) pressures.file_descriptors = () => descriptorShare(connections(), maxFiles);
  return new OverloadManager({
    triggers: config.triggers ?? parseOverloadActions(defaultOverloadActions),
    pressures,
    stats,
    onChange: (action, active) => {
      const shares = Object.entries(pressures).map(([name, pressure]) => [name, Math.round(pressure() * 100) / 100]);
      const message = active ? "overloaded: an action begins" : "no longer overloaded: an action ends";
      logger.warn({ action, ...Object.fromEntries(shares) }, message);
      sources.onChange(action, active);
    },
  });
}

function heapPressure(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used / limit;
}
