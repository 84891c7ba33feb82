import type { RouteEntry, WeightedCluster } from "@fairlead/proxy-router";
import { type HeaderMap, type RequestHead, type ResetReason, type ResponseHead } from "@fairlead/proxy-stream";
import { type CircuitBreaker, type Cluster, type Host, TunnelPool } from "@fairlead/proxy-upstream";
import { AttemptTimers, type TimedRequest } from "./attempt-timers.ts";
import { dropOverload } from "./drop-overload.ts";
import { addExpectedTimeout, type ForwardPlan, planForward } from "./forward-plan.ts";
import type { LocalReply } from "./local-reply.ts";
import { destinationOf } from "./original-destination.ts";
import { MirrorRequests } from "./mirror-requests.ts";
import { serverNameOf } from "./server-name.ts";
import { ReplayBuffer } from "./replay-buffer.ts";
import { flagOf, resetDetails, resetReply } from "./reset-reply.ts";
import { isConnectFailure, retriesReset, retriesResponse } from "./retry-decision.ts";
import { routeAnswer } from "./route-answer.ts";
import { checkStrictly } from "./strict-headers.ts";
import { RetryState } from "./retry-state.ts";
import type { RouterFilterCallbacks, RouterFilterContext } from "./router-filter-context.ts";
import { UpstreamRequest, type UpstreamRequestOwner } from "./upstream-request.ts";

/** Bytes of a request's body that are kept for another attempt (Envoy's default). */
const REPLAY_BYTES = 1024 * 1024;
/** RFC 9110 §9.2.2: sending them twice does what sending them once does. */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

const replayOverflow: LocalReply = {
  status: 507,
  body: "exceeded request buffer limit while retrying upstream",
  details: "request_payload_exceeded_retry_buffer_limit",
};

export type { RouterFilterCallbacks, RouterFilterContext };

/**
 * Sends a request to a host of its route's cluster and the response back; tries again where the route's policy says so.
 *
 * ```
 *   head ─▶ route ─▶ cluster ─▶ host ─▶ pool ─▶ attempt ─▶ response
 *                      ▲                           │
 *                      └──── back-off ◀── failed ──┘
 * ```
 */
export class RouterFilter implements UpstreamRequestOwner, TimedRequest {
  readonly #context: RouterFilterContext;
  readonly #stream: RouterFilterCallbacks;
  readonly #replay = new ReplayBuffer(REPLAY_BYTES);
  #head: RequestHead | undefined;
  #trailers: HeaderMap | undefined;
  #route: RouteEntry | undefined;
  #target: WeightedCluster | undefined;
  #cluster: Cluster | undefined;
  /** Of the request's priority; the request is counted in it. */
  #breaker: CircuitBreaker | undefined;
  #attempt: UpstreamRequest | undefined;
  #requestEnded = false;
  #responseStarted = false;
  #over = false;
  /** The last attempt took too long. */
  #timedOut = false;
  #keepsBody = false;
  #plan: ForwardPlan | undefined;
  #retries: RetryState | undefined;
  #mirrors: MirrorRequests | undefined;
  #upstreamBlocked = false;
  #readingPaused = false;
  #downstreamBlocked = false;
  readonly #timers: AttemptTimers;

  constructor(context: RouterFilterContext, stream: RouterFilterCallbacks) {
    this.#context = context;
    this.#stream = stream;
    this.#timers = new AttemptTimers(this, context.wheel);
  }

  // From the client

  /** @throws MatchTooLong */
  onRequestHead(head: RequestHead, endStream: boolean): void {
    const { route, info } = this.#stream;
    this.#head = head;
    this.#requestEnded = endStream;
    this.#route = route;
    if (route !== undefined) info.routeName = route.name;
    const answer = routeAnswer(route, head, this.#context.stats);
    if (answer !== undefined) this.#stream.sendLocalReply(answer);
    else if (route !== undefined) this.#forward(route, head);
  }

  onRequestData(chunk: Buffer, endStream: boolean): void {
    if (this.#over || this.#cluster === undefined) return;
    if (endStream) this.#requestEnded = true;
    this.#mirrors?.sendData(chunk, endStream);
    const sender = this.#attempt?.sender;
    if (sender === undefined || this.#keepsBody) this.#replay.add(chunk);
    if (sender !== undefined) {
      sender.sendData(chunk, endStream);
      if (this.#over) return;
      if (this.#replay.full) this.#abandonReplay();
    } else if (this.#attempt === undefined && this.#replay.full) {
      // There is nobody to send it to: it is to be tried again, and cannot be kept until then.
      this.#cluster.stats.retry_or_shadow_abandoned++;
      this.#stream.sendLocalReply(replayOverflow);
      return;
    }
    if (endStream && this.#head?.upgrade === undefined) this.#timers.startWhole(this.#plan?.timeoutMs ?? 0, this.#head);
    this.#updateReading();
  }

  onRequestTrailers(trailers: HeaderMap): void {
    if (this.#over || this.#cluster === undefined) return;
    this.#requestEnded = true;
    this.#trailers = trailers;
    this.#mirrors?.sendTrailers(trailers);
    this.#attempt?.sender?.sendTrailers(trailers);
    if (!this.#over) this.#timers.startWhole(this.#plan?.timeoutMs ?? 0, this.#head);
  }

  onDownstreamBlocked(blocked: boolean): void {
    this.#downstreamBlocked = blocked;
    const sender = this.#attempt?.sender;
    if (blocked) sender?.pauseReading();
    else sender?.resumeReading();
    if (blocked && this.#cluster !== undefined) this.#cluster.stats.upstream_flow_control_paused_reading_total++;
  }

  /** The stream is over: the client has gone, or has its answer. */
  destroy(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timers.end();
    this.#retries?.cancel();
    this.#replay.drop();
    this.#cluster?.endRequest(this.#breaker);
    this.#mirrors?.end();
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.cancel();
    // A response that came before the end of its request: what remains of the request must not be sent (cancel has no say then).
    if (attempt !== undefined && !this.#requestEnded) attempt.sender?.reset("local reset");
  }

  // To the host

  #forward(route: RouteEntry, head: RequestHead): void {
    const { target } = this.#stream;
    const cluster = target === undefined ? undefined : this.#context.clusters.get(target.name);
    const action = route.action.kind === "forward" ? route.action : undefined;
    if (target === undefined || cluster === undefined || action === undefined) {
      this.#context.stats.no_cluster++;
      const status = action?.clusterNotFoundStatus ?? 503;
      this.#stream.sendLocalReply({ status, body: "", details: "cluster_not_found", flag: "NC" });
      return;
    }
    this.#stream.info.cluster = target.name;
    const { strictHeaders } = this.#context;
    const refusal =
      (strictHeaders.length === 0 ? undefined : checkStrictly(head.headers, strictHeaders)) ??
      dropOverload(cluster, this.#context);
    if (refusal !== undefined) {
      this.#stream.sendLocalReply(refusal);
      return;
    }
    const breaker = action.highPriority === true ? cluster.highBreaker : cluster.breaker;
    if (!cluster.startRequest(breaker)) {
      this.#stream.sendLocalReply(resetReply("overflow", "", false));
      return;
    }
    this.#target = target;
    this.#cluster = cluster;
    this.#breaker = breaker;
    const plan = planForward(route, action, head, this.#stream.info, this.#context.respectsExpectedTimeout);
    this.#plan = plan;
    if (plan.retry !== undefined) this.#retries = new RetryState(plan.retry, cluster, breaker, this.#context.random);
    route.changeRequest(head, target, this.#stream.info);
    if (!this.#context.suppressEnvoyHeaders) addExpectedTimeout(head, plan);
    const { protocol } = this.#stream.info;
    const tunnel = head.upgrade !== undefined;
    this.#mirrors = MirrorRequests.start(
      tunnel ? undefined : route.mirrors,
      head,
      this.#requestEnded,
      plan.timeoutMs,
      protocol,
      this.#context,
    );
    if (route.bufferLimitBytes !== undefined) this.#replay.limit(route.bufferLimitBytes);
    // An HTTP/2 host may say that it has not begun with a request: then any may be sent again.
    const refusable = cluster.config.protocol !== "http1";
    this.#keepsBody =
      plan.retry !== undefined || refusable || idempotent.has(head.method) || route.internalRedirects !== undefined;
    // The end of a tunnel is not waited for: its head is the request.
    if (this.#requestEnded || tunnel) this.#timers.startWhole(plan.timeoutMs, head);
    this.#tryHost(false);
  }

  #wantedHost(cluster: Cluster | undefined): Parameters<Cluster["pickHost"]>[0] {
    if (cluster?.config.originalDestination !== undefined)
      return { destination: destinationOf(cluster, this.#head, this.#stream.info.connection) };
    const hash = this.#plan?.hash;
    const subset = this.#target?.subset;
    return hash === undefined && subset === undefined ? undefined : { hash, subset };
  }

  /** @param fresh true = the last attempt met a closed idle connection: not again */
  #tryHost(fresh: boolean): void {
    const name = this.#target?.name ?? "";
    // The cluster may have been replaced since the first attempt.
    const cluster = this.#context.clusters.get(name) ?? this.#cluster;
    const wanted = this.#wantedHost(cluster);
    const host = cluster?.pickHost(this.#retries === undefined ? wanted : this.#retries.choice(wanted));
    if (host === undefined) {
      this.#stream.sendLocalReply({
        status: 503,
        body: "no healthy upstream",
        details: "no_healthy_upstream",
        flag: "UH",
      });
      return;
    }
    const { info } = this.#stream;
    const head = this.#head;
    info.attempts++;
    info.upstreamHost = host.key;
    info.upstreamHostname = host.hostname;
    if (head !== undefined && this.#route?.includeAttemptCount === true)
      head.headers.set("x-envoy-attempt-count", String(info.attempts));
    if (head !== undefined && info.attempts > 1 && this.#route?.includeTimeoutRetry === true)
      head.headers.set("x-envoy-is-timeout-retry", String(this.#timedOut));
    if (head !== undefined && this.#route?.rewritesHostToEndpoint === true && host.hostname !== "")
      this.#route.setHost(head, host.hostname);
    const attempt = new UpstreamRequest(this, host, fresh, this.#poolFor(host));
    attempt.clientProtocol = info.protocol;
    if (head !== undefined) attempt.serverName = serverNameOf(host.settings, head);
    this.#attempt = attempt;
    this.#upstreamBlocked = false;
    const { retry, perTryMs = 0 } = this.#plan ?? {};
    if (retry !== undefined) this.#timers.startAttempt(perTryMs, retry.perTryIdleTimeoutMs);
    attempt.start();
  }

  /** A CONNECT that ends here goes on as bytes. */
  #poolFor(host: Host): ConstructorParameters<typeof UpstreamRequest>[3] {
    const action = this.#route?.action;
    const cluster = this.#cluster;
    if (cluster === undefined || action?.kind !== "forward") return undefined;
    if (this.#head?.upgrade === "connect" && action.endsConnect === true)
      return new TunnelPool(cluster, this.#breaker ?? cluster.breaker, host, this.#context.wheel);
    return action.highPriority === true ? host.highPool : undefined;
  }

  onUpstreamReady(attempt: UpstreamRequest): void {
    const { sender } = attempt;
    const head = this.#head;
    if (this.#attempt !== attempt || sender === undefined || head === undefined) return;
    this.#noteConnection(attempt);
    const { chunks } = this.#replay;
    const trailers = this.#trailers;
    const ends = this.#requestEnded && trailers === undefined;
    sender.sendHead(head, ends && chunks.length === 0);
    for (const [i, chunk] of chunks.entries()) sender.sendData(chunk, ends && i === chunks.length - 1);
    if (trailers !== undefined) sender.sendTrailers(trailers);
    if (this.#over || this.#attempt !== attempt) return;
    if (this.#downstreamBlocked) sender.pauseReading();
    if (!this.#keepsBody) this.#replay.drop();
    else if (this.#replay.full) this.#abandonReplay();
    this.#updateReading();
  }

  #noteConnection({ connection }: UpstreamRequest): void {
    const { info } = this.#stream;
    const durationMs = this.#plan?.streamDurationMs ?? this.#cluster?.config.maxStreamDurationMs ?? 0;
    if (durationMs > 0) this.#timers.startStream(durationMs);
    info.upstreamStartMs = this.#context.now();
    if (connection !== undefined) info.setUpstream(connection);
    const protocol = this.#cluster?.config.protocol;
    info.upstreamProtocol = protocol === "http1" || protocol === "http2" ? protocol : info.protocol;
  }

  #abandonReplay(): void {
    if (this.#plan?.retry !== undefined && this.#cluster !== undefined) this.#cluster.stats.retry_or_shadow_abandoned++;
    this.#keepsBody = false;
    this.#replay.drop();
  }

  onUpstreamBlocked(blocked: boolean): void {
    this.#upstreamBlocked = blocked;
    this.#updateReading();
  }

  /** The client is read from while the host takes what it sends, and while what has no host yet is little. */
  #updateReading(): void {
    const pause = this.#upstreamBlocked || (this.#attempt?.sender === undefined && this.#replay.full);
    if (pause === this.#readingPaused) return;
    this.#readingPaused = pause;
    if (pause) this.#context.stats.downstream_flow_control_paused_reading_total++;
    this.#stream.setRequestReading(!pause);
  }

  // From the host

  onUpstreamHead(attempt: UpstreamRequest, head: ResponseHead, endStream: boolean): void {
    if (this.#attempt !== attempt || this.#cluster === undefined || this.#route === undefined) return;
    this.#timers.onResponse();
    const route = this.#route;
    this.#cluster.stats.countStatus(head.status);
    const retry = this.#plan?.retry;
    if (retry !== undefined && retriesResponse(route, retry, head)) {
      this.#timedOut = false;
      if (this.#tryAgain(attempt.host, head.headers)) {
        attempt.cancel();
        return;
      }
    } else this.#retries?.end(true);
    if (route.internalRedirects?.statuses.has(head.status) === true && this.#followRedirect(head)) return;
    this.#responseStarted = true;
    this.#keepsBody = false;
    this.#replay.drop();
    if (this.#head?.upgrade !== undefined && (head.status === 101 || head.status < 300)) this.#timers.end();
    const { info } = this.#stream;
    info.details = "via_upstream";
    const now = this.#context.now();
    info.responseStartMs = now;
    if (!this.#context.suppressEnvoyHeaders) {
      const since = info.requestEndMs === 0 ? info.startMs : info.requestEndMs;
      head.headers.set("x-envoy-upstream-service-time", String(Math.trunc(now - since)));
    }
    if (route.includeAttemptCountInResponse) head.headers.set("x-envoy-attempt-count", String(info.attempts));
    if (this.#plan?.setCookie !== undefined) head.headers.add("set-cookie", this.#plan.setCookie);
    route.changeResponse(head.headers, this.#target, info);
    this.#stream.sendResponseHead(head, endStream);
  }

  /** The request goes on elsewhere, where all of it is known. @returns false when the redirect is for the client */
  #followRedirect(response: ResponseHead): boolean {
    const policy = this.#route?.internalRedirects;
    if (policy === undefined || this.#cluster === undefined || this.#head?.upgrade !== undefined) return false;
    const { stats } = this.#cluster;
    const whole = this.#requestEnded && this.#replay.complete;
    const body = Buffer.concat(whole ? this.#replay.chunks : []);
    const followed = whole && this.#stream.followRedirect({ policy, response, body, trailers: this.#trailers });
    if (followed) stats.upstream_internal_redirect_succeeded_total++;
    else stats.upstream_internal_redirect_failed_total++;
    return followed;
  }

  onUpstreamContinue(attempt: UpstreamRequest): void {
    if (this.#attempt === attempt) this.#stream.sendContinue();
  }

  onUpstreamData(attempt: UpstreamRequest, chunk: Buffer, endStream: boolean): void {
    if (this.#attempt !== attempt) return;
    this.#timers.onActivity();
    this.#stream.sendResponseData(chunk, endStream);
  }

  onUpstreamTrailers(attempt: UpstreamRequest, trailers: HeaderMap): void {
    if (this.#attempt === attempt) this.#stream.sendResponseTrailers(trailers);
  }

  onUpstreamReset(attempt: UpstreamRequest, reason: ResetReason, details: string): void {
    if (this.#attempt !== attempt || this.#cluster === undefined) return;
    this.#timedOut = false;
    this.#timers.endAttempt();
    const { stats } = this.#cluster;
    const { info } = this.#stream;
    info.transportFailure = details;
    if (reason === "protocol error") stats.upstream_cx_protocol_error++;
    else if (!isConnectFailure(reason)) stats.upstream_rq_rx_reset++;
    if (this.#responseStarted) {
      info.flag(flagOf(reason));
      info.details = resetDetails("upstream_reset_after_response_started", reason, details);
      this.#stream.resetStream();
      return;
    }
    if (this.#replayOnFreshConnection(attempt, reason)) return;
    const policy = this.#plan?.retry;
    const sent = attempt.sender !== undefined;
    if (policy !== undefined && retriesReset(policy, reason, sent) && this.#tryAgain(attempt.host)) return;
    stats.countStatus(503);
    this.#stream.sendLocalReply(resetReply(reason, details, info.attempts > 1));
  }

  /**
   * The host closed an idle connection while our request was on its way, or said that it has not begun with it: no fault of the
   * request, and not counted as a retry. In the first case only what may be sent twice is: a host that closes in mid-request looks
   * the same.
   */
  #replayOnFreshConnection(attempt: UpstreamRequest, reason: ResetReason): boolean {
    const head = this.#head;
    if (head === undefined || this.#cluster === undefined || attempt.fresh || !this.#replay.complete) return false;
    const unprocessed = reason === "remote refused stream reset";
    const mayHaveGone = reason === "connection termination" && attempt.reused && idempotent.has(head.method);
    if (!unprocessed && !mayHaveGone) return false;
    this.#cluster.stats.upstream_rq_replayed++;
    this.#tryHost(true);
    return true;
  }

  /** @returns false when no other attempt is allowed */
  #tryAgain(host: Host, response?: HeaderMap): boolean {
    const again = (): void => this.#tryHost(false);
    if (this.#retries?.schedule(host, this.#replay.complete, response, this.#stream.info, again) !== true) return false;
    this.#timers.endAttempt();
    this.#attempt = undefined;
    return true;
  }

  // Time-outs

  onRequestTimeout(): void {
    this.#onTimeout("response_timeout");
  }

  onStreamDuration(): void {
    const attempt = this.#attempt;
    if (attempt === undefined || this.#cluster === undefined) return;
    this.#cluster.stats.upstream_rq_max_duration_reached++;
    const policy = this.#plan?.retry;
    if (!this.#responseStarted) {
      attempt.cancel();
      this.#timedOut = false;
      if (policy !== undefined && retriesReset(policy, "local reset", true) && this.#tryAgain(attempt.host)) return;
    }
    this.#stream.sendLocalReply({
      status: this.#requestEnded ? 504 : 408,
      body: "upstream max stream duration reached",
      details: "upstream_max_stream_duration_reached",
      flag: "UMSDR",
    });
  }

  onAttemptTimeout(details: string): void {
    const attempt = this.#attempt;
    const policy = this.#plan?.retry;
    if (attempt === undefined || policy === undefined || this.#cluster === undefined) return;
    if (details === "upstream_per_try_timeout") this.#cluster.stats.upstream_rq_per_try_timeout++;
    else this.#cluster.stats.upstream_rq_per_try_idle_timeout++;
    attempt.host.monitor?.onTimeout();
    if (!this.#responseStarted) {
      attempt.cancel();
      this.#timedOut = true;
      if (retriesReset(policy, "local reset", true) && this.#tryAgain(attempt.host)) return;
    }
    this.#onTimeout(details);
  }

  #onTimeout(details: string): void {
    if (this.#cluster === undefined) return;
    if (details === "response_timeout") {
      this.#cluster.stats.upstream_rq_timeout++;
      this.#attempt?.host.monitor?.onTimeout();
    }
    const { info } = this.#stream;
    if (this.#responseStarted) {
      info.flag("UT");
      info.details = details;
      this.#stream.resetStream();
      return;
    }
    if (this.#plan?.altResponse === true) {
      this.#stream.sendLocalReply({ status: 204, body: "", details, flag: "UT" });
      return;
    }
    this.#cluster.stats.countStatus(504);
    this.#stream.sendLocalReply({ status: 504, body: "upstream request timeout", details, flag: "UT" });
  }
}
