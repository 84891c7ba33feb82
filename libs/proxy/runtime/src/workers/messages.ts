import { slotKey, taskKey } from "@fairlead/slot";
import type { OverloadConfig } from "@fairlead/proxy-overload";
import type { HostSpec } from "@fairlead/proxy-upstream";
import type { CommonCellShare, StatBlockShare } from "@fairlead/stat-cells";
import type { MessagePort } from "node:worker_threads";
import type { LogTarget } from "../access-log/log-file.ts";
import type { HostCounts } from "../cluster/cluster-status.ts";
import type { DrainOptions } from "../drain-options.ts";
import type { XdsRejection } from "../xds-resource.ts";
import type { PackedResources } from "./packed-resources.ts";
import type { ListenersReport } from "./reported-listeners.ts";
import type { HandedFds } from "./worker-sockets.ts";

// Control thread → workers. What is in a slot is sent again to a worker that is started again.

export interface ApplyArgument {
  readonly typeUrl: string;
  readonly resources: PackedResources;
  /** Of what the control thread has made for this type: they are there before the worker counts in them. */
  readonly blocks: readonly StatBlockShare[];
  readonly commonCells: readonly CommonCellShare[];
  /** Of listeners on any free port: key → the port that all workers take. */
  readonly ports: ReadonlyMap<string, number>;
  /** Sockets that were handed over since the last time. */
  readonly sockets: HandedFds;
}

export interface ApplyAnswer {
  readonly thread: number;
  readonly rejections: readonly XdsRejection[];
  readonly report: ListenersReport;
}

/** One type's state of the world. */
export const applyTask = taskKey<ApplyArgument, ApplyAnswer>("apply");
/** The initial fetch of a type timed out. */
export const giveUpTask = taskKey<string, void>("give up on");
export const drainTask = taskKey<DrainOptions, void>("drain");
export const closeTask = taskKey<undefined, void>("close");
export const reopenLogsTask = taskKey<undefined, void>("reopen logs");

/** Sockets that were handed over accept. */
export const acceptSlot = slotKey<undefined>("accept");

/** POST /healthcheck/fail. */
export const healthSlot = slotKey<{ readonly failed: boolean }>("health");

/** Hosts that were found by their names: the control thread asks the resolver. Cluster → hosts. */
export const resolvedHostsSlot = slotKey<ReadonlyMap<string, ResolvedHosts>>("resolved hosts");

/** What the control thread has found about hosts: for each cluster that is watched a `HealthReport` of each version, as JSON. */
export const hostReportsSlot = slotKey<ReadonlyMap<string, readonly string[]>>("host reports");

export interface ResolvedHosts {
  readonly hosts: readonly HostSpec[];
}

// Worker → control thread, unasked.

export type WorkerEvent =
  | {
      readonly kind: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly facts: object;
      readonly message: string;
    }
  | { readonly kind: "listeners"; readonly report: ListenersReport }
  | { readonly kind: "cell named"; readonly key: string; readonly cell: number; readonly name: string }
  | { readonly kind: "hosts"; readonly hosts: readonly HostCounts[] }
  | { readonly kind: "outcomes"; readonly outcomes: readonly Outcome[] };

/** What became of a request to a host whose cluster has outlier detection, or health checks. */
export type Outcome =
  | readonly [cluster: string, host: string, kind: "response", status: number, grpcStatus: string | undefined]
  | readonly [cluster: string, host: string, kind: "reset", reason: string]
  | readonly [cluster: string, host: string, kind: "timeout"]
  | readonly [cluster: string, host: string, kind: "says unhealthy"];

/** What a worker begins with. */
export interface WorkerStart {
  /** 1 to `threads` - 1; the control thread is 0. */
  readonly thread: number;
  readonly threads: number;
  readonly nodeId: string;
  readonly drainTimeoutMs: number | undefined;
  /** The control thread counts them and tells of them. */
  readonly unknownFields: "refuse" | "ignore quietly";
  readonly maxConnections: number | undefined;
  /** Listening sockets come from the control thread. */
  readonly handsSockets: boolean;
  readonly overload: OverloadConfig | undefined;
  readonly zone: { readonly locality: string; readonly cluster: string } | undefined;
  /** Of requests on all listeners, in the default format. */
  readonly accessLogTargets: readonly LogTarget[];
  /** URLs of modules that register what a configuration may name. */
  readonly modules: readonly string[];
  readonly blocks: readonly StatBlockShare[];
  readonly commonCells: readonly CommonCellShare[];
  /** See `ThreadBeats`. */
  readonly beats: SharedArrayBuffer;
  readonly events: MessagePort;
}
