import type { LogTarget } from "./access-log/log-file.ts";
import type { ProxyRuntime } from "./proxy-runtime.ts";
import type { ProxyRuntimeOptions } from "./runtime-options.ts";

/** A running proxy, in however many threads: what the rest of a process has of it. */
export type DataPlane = Pick<
  ProxyRuntime,
  | "apply"
  | "wantedNames"
  | "onWantedNamesChanged"
  | "clustersInitialized"
  | "onClustersInitialized"
  | "giveUpOn"
  | "listeners"
  | "onListenersChanged"
  | "routeFor"
  | "activeRequests"
  | "whenIdle"
  | "configDump"
  | "clusterStats"
  | "stats"
  | "histograms"
  | "certificates"
  | "missingSecrets"
  | "reopenLogs"
  | "drain"
  | "failHealthCheck"
  | "close"
> & {
  /** Its threads that hang, by name; one thread could not tell. */
  stuckWorkers?(): readonly string[];
};

/** What threads can be told. */
export interface DataPlaneOptions extends Pick<
  ProxyRuntimeOptions,
  "logger" | "nodeId" | "resolveName" | "drainTimeoutMs" | "maxConnections" | "sockets" | "overload" | "zone"
> {
  /** What is done with fields that are newer than our protos. @default refuse */
  readonly unknownFields?: "refuse" | "ignore";
  /** Threads that serve. 1: all is done in the thread that calls. @default 1 */
  readonly concurrency?: number;
  /** Where all requests are logged, in the default format. @default nowhere */
  readonly accessLogTargets?: readonly LogTarget[];
  /** URLs of modules that register what a configuration may name: other threads import them before the first configuration. @default none */
  readonly modules?: () => readonly string[];
  /** For how long a thread may leave a change unanswered, or its event loop alone, before the others go on without it. @default 10000 */
  readonly workerPatienceMs?: number;
  /** The process aborts when a thread has been away from its event loop for so long. @default what is stuck is told only */
  readonly watchdogKillMs?: number | undefined;
  /** There is no going on: workers end again and again. @default throws, which ends the process */
  readonly onFailure?: (error: Error) => void;
}
