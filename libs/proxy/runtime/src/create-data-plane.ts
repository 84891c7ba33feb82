import { defaultAccessLog } from "./access-log/access-log.ts";
import type { DataPlane, DataPlaneOptions } from "./data-plane.ts";
import { ProxyRuntime } from "./proxy-runtime.ts";
import { killOf, Watchdog } from "./watchdog/watchdog.ts";
import { WorkerGroup } from "./workers/worker-group.ts";

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { concurrency = 1, accessLogTargets = [] } = options;
  if (concurrency > 1) return new WorkerGroup({ ...options, concurrency });
  const watchdog = new Watchdog(1, { kill: killOf(options) });
  return new ProxyRuntime({
    ...options,
    watchdog,
    loopDelayMs: () => watchdog.beats.delayMs(0),
    accessLogs: accessLogTargets.map((target) => defaultAccessLog(target)),
  });
}
