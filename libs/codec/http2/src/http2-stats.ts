/** Counters and gauges of connections by Envoy's names (`http2.…`). */
export class Http2Stats {
  header_overflow = 0;
  keepalive_timeout = 0;
  inbound_empty_frames_flood = 0;
  inbound_priority_frames_flood = 0;
  inbound_window_update_frames_flood = 0;
  outbound_control_flood = 0;
  outbound_flood = 0;
  rx_messaging_error = 0;
  rx_reset = 0;
  stream_refused_errors = 0;
  streams_active = 0;
  too_many_header_frames = 0;
  trailers = 0;
  tx_flush_timeout = 0;
  tx_reset = 0;
  goaway_sent = 0;
  /** Ours: connections closed for resetting streams faster than any use of it (CVE-2023-44487). */
  rapid_reset_flood = 0;
}
