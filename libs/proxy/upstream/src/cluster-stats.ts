import { Http2Stats } from "@fairlead/proxy-stream";
import { Histogram, NumberedCounts } from "@fairlead/stat-cells";
import { InUse } from "./in-use.ts";
import { TlsStats } from "./tls-stats.ts";

/** `outlier_detection.…` */
export class OutlierStats {
  ejections_active = 0;
  ejections_overflow = 0;
  ejections_enforced_total = 0;
  ejections_detected_consecutive_5xx = 0;
  ejections_enforced_consecutive_5xx = 0;
  ejections_detected_consecutive_gateway_failure = 0;
  ejections_enforced_consecutive_gateway_failure = 0;
  ejections_detected_consecutive_local_origin_failure = 0;
  ejections_enforced_consecutive_local_origin_failure = 0;
  ejections_detected_success_rate = 0;
  ejections_enforced_success_rate = 0;
  ejections_detected_failure_percentage = 0;
  ejections_enforced_failure_percentage = 0;
}

/** `health_check.…` */
export class HealthCheckStats {
  attempt = 0;
  success = 0;
  failure = 0;
  network_failure = 0;
  /** Hosts that said so themselves in a response to a request. */
  passive_failure = 0;
  /** Hosts that pass now. */
  healthy = 0;
  /** Those that said of themselves that they are degraded. */
  degraded = 0;
}

/** Counters and gauges of one cluster by Envoy's names; they outlive the cluster's changes. */
export class ClusterStats {
  /** What all threads find alike. */
  static readonly sameInAll: readonly string[] = [
    "membership_total",
    "membership_healthy",
    "membership_degraded",
    "membership_excluded",
    "lb_subsets_active",
    "update_attempt",
    "update_success",
    "update_failure",
  ];
  upstream_cx_total = 0;
  upstream_cx_active = 0;
  upstream_cx_connect_fail = 0;
  upstream_cx_connect_timeout = 0;
  upstream_cx_overflow = 0;
  upstream_cx_none_healthy = 0;
  upstream_cx_protocol_error = 0;
  upstream_cx_idle_timeout = 0;
  upstream_rq_total = 0;
  /** Requests from the choice of this cluster to the end of their response, those that wait and retry included. */
  upstream_rq_active = 0;
  upstream_rq_pending_active = 0;
  upstream_rq_pending_overflow = 0;
  upstream_rq_active_overflow = 0;
  upstream_rq_drop_overload = 0;
  upstream_rq_completed = 0;
  upstream_rq_1xx = 0;
  upstream_rq_2xx = 0;
  upstream_rq_3xx = 0;
  upstream_rq_4xx = 0;
  upstream_rq_5xx = 0;
  upstream_rq_timeout = 0;
  upstream_rq_per_try_timeout = 0;
  upstream_rq_retry = 0;
  upstream_rq_retry_active = 0;
  upstream_rq_retry_success = 0;
  upstream_rq_retry_overflow = 0;
  upstream_rq_retry_limit_exceeded = 0;
  /** Ours: requests sent again because an idle connection turned out to be closed. */
  upstream_rq_replayed = 0;
  upstream_rq_rx_reset = 0;
  upstream_rq_tx_reset = 0;
  upstream_flow_control_paused_reading_total = 0;
  upstream_rq_per_try_idle_timeout = 0;
  upstream_rq_max_duration_reached = 0;
  upstream_rq_retry_backoff_exponential = 0;
  upstream_rq_retry_backoff_ratelimited = 0;
  retry_or_shadow_abandoned = 0;
  upstream_internal_redirect_succeeded_total = 0;
  upstream_internal_redirect_failed_total = 0;
  lb_healthy_panic = 0;
  lb_recalculate_zone_structures = 0;
  lb_zone_cluster_too_small = 0;
  lb_zone_routing_all_directly = 0;
  lb_zone_routing_sampled = 0;
  lb_zone_routing_cross_zone = 0;
  original_dst_host_invalid = 0;
  lb_subsets_active = 0;
  lb_subsets_created = 0;
  lb_subsets_removed = 0;
  lb_subsets_selected = 0;
  lb_subsets_fallback = 0;
  lb_subsets_fallback_panic = 0;
  lb_subsets_single_host_per_subset_duplicate = 0;
  membership_total = 0;
  membership_healthy = 0;
  membership_degraded = 0;
  membership_excluded = 0;
  update_attempt = 0;
  update_success = 0;
  update_failure = 0;
  readonly outlier = new OutlierStats();
  readonly healthCheck = new HealthCheckStats();
  /** The part of the gauges that is of requests of high priority. */
  readonly high = new InUse();
  /** `ssl.…` */
  readonly ssl = new TlsStats();
  /** By status: `upstream_rq_503`. */
  readonly byStatus = new NumberedCounts(500, 100);

  /** From the end of a request to the end of its response. */
  readonly upstream_rq_time = new Histogram();
  readonly upstream_cx_connect_ms = new Histogram();

  /** Of the connections to its hosts: `http2.…` */
  readonly http2 = new Http2Stats();

  countStatus(status: number): void {
    this.upstream_rq_completed++;
    this.byStatus.count(status);
    if (status >= 500) this.upstream_rq_5xx++;
    else if (status >= 400) this.upstream_rq_4xx++;
    else if (status >= 300) this.upstream_rq_3xx++;
    else if (status >= 200) this.upstream_rq_2xx++;
    else this.upstream_rq_1xx++;
  }
}
