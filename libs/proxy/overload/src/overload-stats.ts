import type { OverloadAction, OverloadResource } from "./overload-config.ts";

/** `overload.…`, by Envoy's names and one of ours. Each thread looks for itself: what counts is the worst of them. */
export class OverloadStats {
  "envoy.resource_monitors.cgroup_memory.pressure" = 0;
  "envoy.resource_monitors.fixed_heap.pressure" = 0;
  "envoy.resource_monitors.global_downstream_max_connections.pressure" = 0;
  "fairlead.resource_monitors.event_loop_delay.pressure" = 0;
  "fairlead.resource_monitors.file_descriptors.pressure" = 0;
  "envoy.overload_actions.stop_accepting_requests.active" = 0;
  "envoy.overload_actions.disable_http_keepalive.active" = 0;
  "envoy.overload_actions.stop_accepting_connections.active" = 0;
  "envoy.overload_actions.reject_incoming_connections.active" = 0;
  "envoy.overload_actions.reduce_timeouts.active" = 0;
  "envoy.overload_actions.reduce_timeouts.scale_percent" = 0;

  static readonly sameInAll: readonly string[] = Object.keys(new OverloadStats());
}

const monitors = {
  memory: "envoy.resource_monitors.cgroup_memory",
  heap: "envoy.resource_monitors.fixed_heap",
  connections: "envoy.resource_monitors.global_downstream_max_connections",
  event_loop_delay: "fairlead.resource_monitors.event_loop_delay",
  file_descriptors: "fairlead.resource_monitors.file_descriptors",
} as const satisfies Record<OverloadResource, string>;

/** @param pressure a share of the limit; shown in percent, as Envoy does */
export function notePressure(stats: OverloadStats, resource: OverloadResource, pressure: number): void {
  stats[`${monitors[resource]}.pressure`] = Math.round(pressure * 100);
}

export function noteAction(stats: OverloadStats, action: OverloadAction, share: number): void {
  stats[`envoy.overload_actions.${action}.active`] = share >= 1 ? 1 : 0;
  if (action === "reduce_timeouts")
    stats["envoy.overload_actions.reduce_timeouts.scale_percent"] = Math.round(share * 100);
}
