const gauge =
  /_(?:active|open|state|live|uptime|buffered|(?<!none_)healthy|total_listeners_\w+|memory_\w+|version|degraded|excluded|membership_total|remaining_\w+|parent_connections|active_connections|subset_duplicate|cert_expiring|concurrency|workers_stuck|pressure|scale_percent|event_loop_delay_ms|hot_restart_epoch)$/;

/** Whether it may fall; all others only grow. */
export function isGauge(stat: string): boolean {
  return gauge.test(`_${stat.replaceAll(".", "_")}`);
}
