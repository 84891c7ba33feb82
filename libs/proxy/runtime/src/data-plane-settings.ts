import { availableParallelism } from "node:os";
import type { OverloadTrigger } from "@fairlead/proxy-overload";
import type { LogTarget } from "./access-log/log-file.ts";
import type { DataPlaneOptions } from "./data-plane.ts";
import type { SocketSource } from "./listener/socket-source.ts";

/** As operators set them, of every proxy of ours. */
export interface DataPlaneSettings {
  readonly drainTimeout: number;
  /** "auto": the cores that this process may use. */
  readonly concurrency: number | "auto";
  readonly watchdogKillTimeout?: number | undefined;
  readonly overloadActions: readonly OverloadTrigger[];
  readonly overloadMemoryBytes?: number | undefined;
  readonly overloadEventLoopDelay?: number | undefined;
  readonly overloadConnections?: number | undefined;
  /** region/zone/subzone; counts together with `localCluster`. */
  readonly locality?: string | undefined;
  readonly localCluster?: string | undefined;
  readonly accessLog?: LogTarget | undefined;
  readonly unknownXdsFields: "refuse" | "ignore";
}

/** @param sockets where listening sockets come from; undefined: they are opened here */
export function optionsOf(
  settings: DataPlaneSettings,
  sockets: SocketSource | undefined,
): Omit<DataPlaneOptions, "logger" | "nodeId"> {
  const { concurrency, locality, localCluster, accessLog } = settings;
  return {
    drainTimeoutMs: settings.drainTimeout,
    unknownFields: settings.unknownXdsFields,
    concurrency: concurrency === "auto" ? availableParallelism() : concurrency,
    watchdogKillMs: settings.watchdogKillTimeout,
    overload: {
      triggers: settings.overloadActions,
      maxMemoryBytes: settings.overloadMemoryBytes,
      maxEventLoopDelayMs: settings.overloadEventLoopDelay,
      maxConnections: settings.overloadConnections,
    },
    zone: locality === undefined || localCluster === undefined ? undefined : { locality, cluster: localCluster },
    ...(sockets === undefined ? {} : { sockets }),
    ...(accessLog === undefined ? {} : { accessLogTargets: [accessLog] }),
  };
}
