/** What a thread does less of now. Looked at where work begins, so that it costs a read. */
export class OverloadState {
  /** Requests are answered with 503 before anything else is done with them. */
  stopsRequests = false;
  /** Connections end with their response; in HTTP/2 with a GOAWAY. */
  disablesKeepAlive = false;
  /** New connections wait until it is over. */
  stopsConnections = false;
  /** New connections are closed. */
  rejectsConnections = false;
  /** What idle time-outs are multiplied with: from 1 down to `MIN_TIMEOUT_SCALE`. */
  timeoutScale = 1;
}

/** None of a time-out would close what has only just come. */
export const MIN_TIMEOUT_SCALE = 0.1;
