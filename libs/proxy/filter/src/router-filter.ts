import type { RouteEntry } from "@fairlead/proxy-router";
import type { HeaderMap, RequestHead, ResetReason, ResponseHead } from "@fairlead/proxy-stream";
import { AttemptTimeouts } from "./attempt-timeouts.ts";
import { dropOverload } from "./drop-overload.ts";
import { addExpectedTimeout, planForward } from "./forward-plan.ts";
import type { LocalReply } from "./local-reply.ts";
import { MirrorRequests } from "./mirror-requests.ts";
import { flagOf, resetDetails, resetReply } from "./reset-reply.ts";
import { isConnectFailure, retriesReset, retriesResponse } from "./retry-decision.ts";
import { RetryState } from "./retry-state.ts";
import { routeAnswer } from "./route-answer.ts";
import type { RouterFilterCallbacks, RouterFilterContext } from "./router-filter-context.ts";
import { checkStrictly } from "./strict-headers.ts";
import { idempotent } from "./upstream-attempts.ts";
import type { UpstreamRequest } from "./upstream-request.ts";

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
export class RouterFilter extends AttemptTimeouts {
  #mirrors: MirrorRequests | undefined;
  /** The whole response of the host has come. */
  #answered = false;

  // From the client

  /** @throws MatchTooLong */
  onRequestHead(head: RequestHead, endStream: boolean): void {
    const { route, info } = this.stream;
    this.head = head;
    this.requestEnded = endStream;
    this.route = route;
    if (route !== undefined) info.setRoute(route);
    const answer = routeAnswer(route, head, this.context.stats);
    if (answer !== undefined) this.stream.sendLocalReply(answer);
    else if (route !== undefined) this.#forward(route, head);
  }

  /** @param unshared nobody else holds the chunk */
  onRequestData(chunk: Buffer, endStream: boolean, unshared = false): void {
    if (this.over || this.cluster === undefined) return;
    if (endStream) this.requestEnded = true;
    this.#mirrors?.sendData(chunk, endStream);
    const sender = this.attempt?.sender;
    const keeps = sender === undefined || this.keepsBody;
    if (keeps) this.replay.add(chunk);
    if (sender !== undefined) {
      sender.sendData(chunk, endStream, unshared && !keeps && this.#mirrors === undefined);
      if (this.over) return;
      if (this.replay.full) this.abandonReplay();
    } else if (this.attempt === undefined && this.replay.full) {
      // There is nobody to send it to: it is to be tried again, and cannot be kept until then.
      this.cluster.stats.retry_or_shadow_abandoned++;
      this.stream.sendLocalReply(replayOverflow);
      return;
    }
    if (endStream && this.head?.upgrade === undefined) this.timers.startWhole(this.plan?.timeoutMs ?? 0, this.head);
    this.updateReading();
  }

  onRequestTrailers(trailers: HeaderMap): void {
    if (this.over || this.cluster === undefined) return;
    this.requestEnded = true;
    this.trailers = trailers;
    this.#mirrors?.sendTrailers(trailers);
    this.attempt?.sender?.sendTrailers(trailers);
    if (!this.over) this.timers.startWhole(this.plan?.timeoutMs ?? 0, this.head);
  }

  onDownstreamBlocked(blocked: boolean): void {
    this.downstreamBlocked = blocked;
    const sender = this.attempt?.sender;
    if (blocked) sender?.pauseReading();
    else sender?.resumeReading();
    if (blocked && this.cluster !== undefined) this.cluster.stats.upstream_flow_control_paused_reading_total++;
  }

  /** The stream is over: the client has gone, or has its answer. */
  destroy(): void {
    if (this.over) return;
    this.over = true;
    this.timers.end();
    this.retries?.cancel();
    this.replay.drop();
    this.cluster?.endRequest(this.breaker);
    if (this.#answered) this.#recordTime();
    this.#mirrors?.end();
    const attempt = this.attempt;
    this.attempt = undefined;
    this.cancelAttempt(attempt);
    // A response that came before the end of its request: what remains of the request must not be sent (cancel has no say then).
    if (attempt !== undefined && !this.requestEnded) attempt.sender?.reset("local reset");
  }

  /** As Envoy, not of a response that comes before the end of its request. */
  #recordTime(): void {
    const { endMs, requestEndMs } = this.stream.info;
    if (endMs > 0 && requestEndMs > 0) this.cluster?.stats.upstream_rq_time.record(endMs - requestEndMs);
  }

  // To the host

  #forward(route: RouteEntry, head: RequestHead): void {
    const { target } = this.stream;
    const cluster = target === undefined ? undefined : this.context.clusters.get(target.name);
    const action = route.action.kind === "forward" ? route.action : undefined;
    if (target === undefined || cluster === undefined || action === undefined) {
      this.context.stats.no_cluster++;
      const status = action?.clusterNotFoundStatus ?? 503;
      this.stream.sendLocalReply({ status, body: "", details: "cluster_not_found", flag: "NC" });
      return;
    }
    this.stream.info.setCluster(cluster.config);
    const { strictHeaders } = this.context;
    const refusal =
      (strictHeaders.length === 0 ? undefined : checkStrictly(head.headers, strictHeaders)) ??
      dropOverload(cluster, this.context);
    if (refusal !== undefined) {
      this.stream.sendLocalReply(refusal);
      return;
    }
    const breaker = action.highPriority === true ? cluster.highBreaker : cluster.breaker;
    if (!cluster.startRequest(breaker)) {
      this.stream.sendLocalReply(resetReply("overflow", "", false));
      return;
    }
    this.target = target;
    this.cluster = cluster;
    this.breaker = breaker;
    if (route.findVirtualCluster !== undefined) {
      this.virtualCluster = route.findVirtualCluster(head);
      this.stream.info.virtualCluster = this.virtualCluster.name;
    }
    const plan = planForward(route, action, head, this.stream.info, this.context.respectsExpectedTimeout);
    this.plan = plan;
    if (plan.retry !== undefined) this.retries = new RetryState(plan.retry, cluster, breaker, this.context.random);
    route.changeRequest(head, target, this.stream.info);
    if (!this.context.suppressEnvoyHeaders) addExpectedTimeout(head, plan);
    const { protocol } = this.stream.info;
    const tunnel = head.upgrade !== undefined;
    this.#mirrors = MirrorRequests.start(
      tunnel ? undefined : route.mirrors,
      head,
      this.requestEnded,
      plan.timeoutMs,
      protocol,
      this.context,
    );
    if (route.bufferLimitBytes !== undefined) this.replay.limit(route.bufferLimitBytes);
    // An HTTP/2 host may say that it has not begun with a request: then any may be sent again.
    const refusable = cluster.config.protocol !== "http1";
    this.keepsBody =
      plan.retry !== undefined || refusable || idempotent.has(head.method) || route.internalRedirects !== undefined;
    // The end of a tunnel is not waited for: its head is the request.
    if (this.requestEnded || tunnel) this.timers.startWhole(plan.timeoutMs, head);
    this.tryHost(false);
  }

  // From the host

  override onUpstreamHead(attempt: UpstreamRequest, head: ResponseHead, endStream: boolean): void {
    if (this.attempt !== attempt || this.cluster === undefined || this.route === undefined) return;
    this.timers.onResponse();
    const route = this.route;
    this.countStatus(head.status);
    const retry = this.plan?.retry;
    if (retry !== undefined && retriesResponse(route, retry, head)) {
      this.timedOut = false;
      if (this.tryAgain(attempt.host, head.headers)) {
        this.cancelAttempt(attempt);
        return;
      }
    } else this.retries?.end(true);
    if (route.internalRedirects?.statuses.has(head.status) === true && this.#followRedirect(head)) return;
    this.responseStarted = true;
    this.#answered = endStream;
    this.keepsBody = false;
    this.replay.drop();
    if (this.head?.upgrade !== undefined && (head.status === 101 || head.status < 300)) this.timers.end();
    const { info } = this.stream;
    info.details = "via_upstream";
    const now = this.context.now();
    info.responseStartMs = now;
    if (!this.context.suppressEnvoyHeaders) {
      const since = info.requestEndMs === 0 ? info.startMs : info.requestEndMs;
      head.headers.set("x-envoy-upstream-service-time", String(Math.trunc(now - since)));
    }
    if (route.includeAttemptCountInResponse) head.headers.set("x-envoy-attempt-count", String(info.attempts));
    if (this.plan?.setCookie !== undefined) head.headers.add("set-cookie", this.plan.setCookie);
    route.changeResponse(head.headers, this.target, info);
    this.stream.sendResponseHead(head, endStream);
  }

  /** The request goes on elsewhere, where all of it is known. @returns false when the redirect is for the client */
  #followRedirect(response: ResponseHead): boolean {
    const policy = this.route?.internalRedirects;
    if (policy === undefined || this.cluster === undefined || this.head?.upgrade !== undefined) return false;
    const { stats } = this.cluster;
    const whole = this.requestEnded && this.replay.complete;
    const body = Buffer.concat(whole ? this.replay.chunks : []);
    const followed = whole && this.stream.followRedirect({ policy, response, body, trailers: this.trailers });
    if (followed) stats.upstream_internal_redirect_succeeded_total++;
    else stats.upstream_internal_redirect_failed_total++;
    return followed;
  }

  onUpstreamContinue(attempt: UpstreamRequest): void {
    if (this.attempt === attempt) this.stream.sendContinue();
  }

  override onUpstreamData(attempt: UpstreamRequest, chunk: Buffer, endStream: boolean): void {
    if (this.attempt !== attempt) return;
    this.timers.onActivity();
    if (endStream) this.#answered = true;
    this.stream.sendResponseData(chunk, endStream);
  }

  override onUpstreamTrailers(attempt: UpstreamRequest, trailers: HeaderMap): void {
    if (this.attempt !== attempt) return;
    this.#answered = true;
    this.stream.sendResponseTrailers(trailers);
  }

  override onUpstreamReset(attempt: UpstreamRequest, reason: ResetReason, details: string): void {
    if (this.attempt !== attempt || this.cluster === undefined) return;
    this.timedOut = false;
    this.timers.endAttempt();
    const { stats } = this.cluster;
    const { info } = this.stream;
    info.transportFailure = details;
    if (reason === "protocol error") stats.upstream_cx_protocol_error++;
    else if (!isConnectFailure(reason)) stats.upstream_rq_rx_reset++;
    if (this.responseStarted) {
      info.flag(flagOf(reason));
      info.details = resetDetails("upstream_reset_after_response_started", reason, details);
      this.stream.resetStream();
      return;
    }
    if (this.replayOnFreshConnection(attempt, reason)) return;
    const policy = this.plan?.retry;
    const sent = attempt.sender !== undefined;
    if (policy !== undefined && retriesReset(policy, reason, sent) && this.tryAgain(attempt.host)) return;
    this.countStatus(503);
    this.stream.sendLocalReply(resetReply(reason, details, info.attempts > 1));
  }
}
