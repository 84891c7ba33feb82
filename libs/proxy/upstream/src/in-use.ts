/** What requests have of a cluster at the moment: what its circuit breakers limit. */
export class InUse {
  upstream_cx_active = 0;
  upstream_rq_active = 0;
  upstream_rq_pending_active = 0;
  upstream_rq_retry_active = 0;
}
