/** What may run short. */
export type OverloadResource = "memory" | "heap" | "event_loop_delay" | "connections" | "file_descriptors";

/** What is done then, by the ends of Envoy's names. */
export type OverloadAction =
  | "stop_accepting_requests"
  | "disable_http_keepalive"
  | "stop_accepting_connections"
  | "reject_incoming_connections"
  | "reduce_timeouts";

/**
 * From `from` on an action grows, at `to` it is whole; `from` = `to` is a threshold. Shares of the resource's limit, from 0 to 1. Only
 * `reduce_timeouts` knows something between nothing and all.
 */
export interface OverloadTrigger {
  readonly action: OverloadAction;
  readonly resource: OverloadResource;
  readonly from: number;
  readonly to: number;
}

export interface OverloadConfig {
  /** Resident memory of the process. @default the limit of its cgroup; without one this resource is not watched */
  readonly maxMemoryBytes?: number | undefined;
  /** How late an event loop may be. @default not watched */
  readonly maxEventLoopDelayMs?: number | undefined;
  /** Connections of clients, of all listeners. @default not watched */
  readonly maxConnections?: number | undefined;
  /** @default `defaultOverloadActions` */
  readonly triggers?: readonly OverloadTrigger[] | undefined;
}

/**
 * On by default, in the order in which they help: idle clients are let go, then connections end with their responses, then requests are
 * refused, then connections. The heap is V8's, whose end would be the process's. Without file
 * descriptors the system would end connections without a word, those of the admin pages, too.
 */
export const defaultOverloadActions =
  "reduce_timeouts=memory:0.85-0.95 reduce_timeouts=heap:0.85-0.95 " +
  "disable_http_keepalive=memory:0.92 disable_http_keepalive=heap:0.92 " +
  "stop_accepting_requests=memory:0.95 stop_accepting_requests=heap:0.95 " +
  "reject_incoming_connections=memory:0.98 reject_incoming_connections=heap:0.98 " +
  "stop_accepting_requests=event_loop_delay:1 stop_accepting_connections=connections:1 " +
  "disable_http_keepalive=file_descriptors:0.9 reject_incoming_connections=file_descriptors:0.95";
