import { Histogram, NamedCounts } from "@fairlead/stat-cells";

/** Counters and gauges of one listener's HTTP by Envoy's names (`http.<stat_prefix>.…`). */
export class HttpStats {
  downstream_cx_total = 0;
  downstream_cx_active = 0;
  downstream_cx_destroy = 0;
  downstream_cx_http1_total = 0;
  downstream_cx_http2_total = 0;
  downstream_cx_overflow = 0;
  downstream_cx_protocol_error = 0;
  downstream_cx_idle_timeout = 0;
  downstream_cx_max_duration_reached = 0;
  downstream_cx_max_requests_reached = 0;
  downstream_cx_drain_close = 0;
  downstream_cx_overload_disable_keepalive = 0;
  downstream_cx_upgrades_total = 0;
  downstream_cx_upgrades_active = 0;
  downstream_rq_total = 0;
  downstream_rq_active = 0;
  downstream_rq_completed = 0;
  downstream_rq_1xx = 0;
  downstream_rq_2xx = 0;
  downstream_rq_3xx = 0;
  downstream_rq_4xx = 0;
  downstream_rq_5xx = 0;
  downstream_rq_header_timeout = 0;
  downstream_rq_idle_timeout = 0;
  downstream_rq_timeout = 0;
  downstream_rq_max_duration_reached = 0;
  downstream_rq_too_large = 0;
  downstream_rq_too_many_premature_resets = 0;
  downstream_rq_rx_reset = 0;
  downstream_rq_overload_close = 0;
  downstream_flow_control_paused_reading_total = 0;
  no_route = 0;
  no_cluster = 0;
  rq_direct_response = 0;
  rq_redirect = 0;
  passthrough_internal_redirect_bad_location = 0;
  passthrough_internal_redirect_unsafe_scheme = 0;
  passthrough_internal_redirect_too_many_redirects = 0;
  passthrough_internal_redirect_no_route = 0;

  /** From the start of a request to the end of its response. */
  readonly downstream_rq_time = new Histogram();
  readonly downstream_cx_length_ms = new Histogram();

  /** What filters count, by their own names (`fault.aborts_injected`). */
  readonly ofFilters = new NamedCounts();

  count(stat: string, by = 1): void {
    this.ofFilters.count(stat, by);
  }

  countStatus(status: number): void {
    this.downstream_rq_completed++;
    if (status >= 500) this.downstream_rq_5xx++;
    else if (status >= 400) this.downstream_rq_4xx++;
    else if (status >= 300) this.downstream_rq_3xx++;
    else if (status >= 200) this.downstream_rq_2xx++;
    else this.downstream_rq_1xx++;
  }
}
