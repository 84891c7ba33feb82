import type { RouteEntry, WeightedCluster } from "@fairlead/proxy-router";
import { hasStreamFactory, type RequestHead, type ResetReason, type ResponseHead } from "@fairlead/proxy-stream";
import type { Cluster, ClusterManager, Host } from "@fairlead/proxy-upstream";
import type { HttpStats } from "./http-stats.ts";
import type { LocalReply } from "./local-reply.ts";
import { ReplayBuffer } from "./replay-buffer.ts";
import { flagOf, resetDetails, resetReply } from "./reset-reply.ts";
import { isConnectFailure, retriesReset, retriesResponse } from "./retry-decision.ts";
import { RetryState } from "./retry-state.ts";
import type { StreamInfo } from "./stream-info.ts";
import { UpstreamRequest, type UpstreamRequestOwner } from "./upstream-request.ts";

/** Bytes of a request's body that are kept for another attempt (Envoy's default). */
const REPLAY_BYTES = 1024 * 1024;
/** RFC 9110 §9.2.2: sending them twice does what sending them once does. */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

export interface RouterFilterContext {
  readonly clusters: ClusterManager;
  readonly stats: HttpStats;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Leaves out `x-envoy-upstream-service-time`. @default false */
  readonly suppressEnvoyHeaders: boolean;
}

/** The stream that the router filter ends. */
export interface RouterFilterCallbacks {
  readonly info: StreamInfo;
  readonly route: RouteEntry | undefined;
  sendResponseHead(head: ResponseHead, endStream: boolean): void;
  sendResponseData(chunk: Buffer, endStream: boolean): void;
  sendLocalReply(reply: LocalReply): void;
  /** The response cannot be completed. */
  resetStream(): void;
  setRequestReading(reading: boolean): void;
}

/**
 * Sends a request to a host of its route's cluster and the response back; tries again where the route's policy says so.
 *
 * ```
 *   head ─▶ route ─▶ cluster ─▶ host ─▶ pool ─▶ attempt ─▶ response
 *                      ▲                           │
 *                      └──── back-off ◀── failed ──┘
 * ```
 */
export class RouterFilter implements UpstreamRequestOwner {
  readonly #context: RouterFilterContext;
  readonly #stream: RouterFilterCallbacks;
  readonly #replay = new ReplayBuffer(REPLAY_BYTES);
  #head: RequestHead | undefined;
  #route: RouteEntry | undefined;
  #target: WeightedCluster | undefined;
  #cluster: Cluster | undefined;
  #attempt: UpstreamRequest | undefined;
  #requestEnded = false;
  #responseStarted = false;
  #over = false;
  #keepsBody = false;
  #retries: RetryState | undefined;
  #upstreamBlocked = false;
  #readingPaused = false;
  #downstreamBlocked = false;
  #timeout: NodeJS.Timeout | undefined;
  #perTryTimeout: NodeJS.Timeout | undefined;

  constructor(context: RouterFilterContext, stream: RouterFilterCallbacks) {
    this.#context = context;
    this.#stream = stream;
  }

  // From the client

  onRequestHead(head: RequestHead, endStream: boolean): void {
    const { route, info } = this.#stream;
    this.#head = head;
    this.#requestEnded = endStream;
    if (route === undefined) {
      this.#context.stats.no_route++;
      this.#stream.sendLocalReply({ status: 404, body: "", details: "route_not_found", flag: "NR" });
      return;
    }
    this.#route = route;
    info.routeName = route.name;
    const { action } = route;
    if (action.kind === "direct") {
      this.#context.stats.rq_direct_response++;
      this.#stream.sendLocalReply({ status: action.status, body: action.body, details: "direct_response" });
    } else if (action.kind === "redirect") {
      this.#context.stats.rq_redirect++;
      const headers = ["location", route.redirectLocation(head)];
      this.#stream.sendLocalReply({ status: action.status, body: "", details: "direct_response", headers });
    } else this.#forward(route, head);
  }

  onRequestData(chunk: Buffer, endStream: boolean): void {
    if (this.#over || this.#cluster === undefined) return;
    if (endStream) this.#requestEnded = true;
    const sender = this.#attempt?.sender;
    if (sender === undefined || this.#keepsBody) this.#replay.add(chunk);
    if (sender !== undefined) {
      sender.sendData(chunk, endStream);
      if (this.#over) return;
      if (this.#replay.full) this.#abandonReplay();
    }
    if (endStream) this.#startTimeout();
    this.#updateReading();
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
    clearTimeout(this.#timeout);
    clearTimeout(this.#perTryTimeout);
    this.#retries?.cancel();
    this.#replay.drop();
    if (this.#cluster !== undefined) this.#cluster.stats.upstream_rq_active--;
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.cancel();
    // A response that came before the end of its request: what remains of the request must not be sent (cancel has no say then).
    if (attempt !== undefined && !this.#requestEnded) attempt.sender?.reset("local reset");
  }

  // To the host

  #forward(route: RouteEntry, head: RequestHead): void {
    const target = route.pickCluster(this.#context.random);
    const cluster = target === undefined ? undefined : this.#context.clusters.get(target.name);
    if (target === undefined || cluster === undefined) {
      this.#context.stats.no_cluster++;
      const status = route.action.kind === "forward" ? route.action.clusterNotFoundStatus : 503;
      this.#stream.sendLocalReply({ status, body: "", details: "cluster_not_found", flag: "NC" });
      return;
    }
    this.#stream.info.cluster = target.name;
    const { protocol } = cluster.config;
    if (!hasStreamFactory(protocol)) {
      // The cluster itself is fine, and other proxies can call it.
      const body = `upstream protocol ${protocol} is not supported by this proxy`;
      this.#stream.sendLocalReply({ status: 503, body, details: "upstream_protocol_unsupported" });
      return;
    }
    this.#target = target;
    this.#cluster = cluster;
    const { stats, config } = cluster;
    stats.upstream_rq_active++;
    stats.upstream_rq_total++;
    if (stats.upstream_rq_active > config.circuitBreakers.maxRequests) {
      stats.upstream_rq_active_overflow++;
      this.#stream.sendLocalReply(resetReply("overflow", "", false));
      return;
    }
    route.changeRequest(head, target);
    if (route.retry !== undefined) this.#retries = new RetryState(route.retry, cluster, this.#context.random);
    this.#keepsBody = route.retry !== undefined || idempotent.has(head.method);
    if (this.#requestEnded) this.#startTimeout();
    this.#tryHost(false);
  }

  /** @param fresh true = the last attempt met a closed idle connection: not again */
  #tryHost(fresh: boolean): void {
    const name = this.#target?.name ?? "";
    // The cluster may have been replaced since the first attempt.
    const cluster = this.#context.clusters.get(name) ?? this.#cluster;
    const host = cluster?.pickHost(this.#retries?.failedHosts, this.#route?.retry?.avoidHostsAttempts);
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
    info.attempts++;
    info.upstreamHost = host.key;
    if (this.#route?.includeAttemptCount === true)
      this.#head?.headers.set("x-envoy-attempt-count", String(info.attempts));
    const attempt = new UpstreamRequest(this, host, fresh);
    this.#attempt = attempt;
    this.#upstreamBlocked = false;
    this.#startPerTryTimeout();
    attempt.start();
  }

  onUpstreamReady(attempt: UpstreamRequest): void {
    const { sender } = attempt;
    const head = this.#head;
    if (this.#attempt !== attempt || sender === undefined || head === undefined) return;
    const { chunks } = this.#replay;
    sender.sendHead(head, this.#requestEnded && chunks.length === 0);
    for (const [i, chunk] of chunks.entries()) sender.sendData(chunk, this.#requestEnded && i === chunks.length - 1);
    if (this.#over || this.#attempt !== attempt) return;
    if (this.#downstreamBlocked) sender.pauseReading();
    if (!this.#keepsBody) this.#replay.drop();
    else if (this.#replay.full) this.#abandonReplay();
    this.#updateReading();
  }

  #abandonReplay(): void {
    if (this.#route?.retry !== undefined && this.#cluster !== undefined)
      this.#cluster.stats.retry_or_shadow_abandoned++;
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
    clearTimeout(this.#perTryTimeout);
    const route = this.#route;
    this.#cluster.stats.countStatus(head.status);
    if (route.retry !== undefined && retriesResponse(route, route.retry, head.status, head.headers)) {
      if (this.#retry(attempt.host)) {
        attempt.cancel();
        return;
      }
    } else this.#retries?.end(true);
    this.#responseStarted = true;
    this.#replay.drop();
    const { info } = this.#stream;
    info.details = "via_upstream";
    if (!this.#context.suppressEnvoyHeaders) {
      const since = info.requestEndMs === 0 ? info.startMs : info.requestEndMs;
      head.headers.set("x-envoy-upstream-service-time", String(Math.trunc(this.#context.now() - since)));
    }
    route.changeResponse(head.headers, this.#target);
    this.#stream.sendResponseHead(head, endStream);
  }

  onUpstreamData(attempt: UpstreamRequest, chunk: Buffer, endStream: boolean): void {
    if (this.#attempt === attempt) this.#stream.sendResponseData(chunk, endStream);
  }

  onUpstreamReset(attempt: UpstreamRequest, reason: ResetReason, details: string): void {
    if (this.#attempt !== attempt || this.#cluster === undefined) return;
    clearTimeout(this.#perTryTimeout);
    const { stats } = this.#cluster;
    const { info } = this.#stream;
    if (reason === "protocol error") stats.upstream_cx_protocol_error++;
    else if (!isConnectFailure(reason)) stats.upstream_rq_rx_reset++;
    if (this.#responseStarted) {
      info.flag(flagOf(reason));
      info.details = resetDetails("upstream_reset_after_response_started", reason, details);
      this.#stream.resetStream();
      return;
    }
    if (this.#replayOnFreshConnection(attempt, reason)) return;
    const policy = this.#route?.retry;
    const sent = attempt.sender !== undefined;
    if (policy !== undefined && retriesReset(policy, reason, sent) && this.#retry(attempt.host)) return;
    stats.countStatus(503);
    this.#stream.sendLocalReply(resetReply(reason, details, info.attempts > 1));
  }

  /**
   * The host closed an idle connection while our request was on its way: no fault of the request, and not counted as a retry.
   * Only what may be sent twice is: a host that closes in mid-request looks the same.
   */
  #replayOnFreshConnection(attempt: UpstreamRequest, reason: ResetReason): boolean {
    const head = this.#head;
    if (reason !== "connection termination" || !attempt.reused || head === undefined || this.#cluster === undefined)
      return false;
    if (!idempotent.has(head.method) || !this.#replay.complete) return false;
    this.#cluster.stats.upstream_rq_replayed++;
    this.#tryHost(true);
    return true;
  }

  /** @returns false when no other attempt is allowed */
  #retry(host: Host): boolean {
    const again = (): void => this.#tryHost(false);
    if (this.#retries?.schedule(host, this.#replay.complete, this.#stream.info, again) !== true) return false;
    this.#attempt = undefined;
    return true;
  }

  // Time-outs

  /** From the end of the request, over all attempts. */
  #startTimeout(): void {
    const { action } = this.#route ?? {};
    if (action?.kind !== "forward" || action.timeoutMs === 0 || this.#timeout !== undefined) return;
    this.#timeout = setTimeout(() => this.#onTimeout("response_timeout"), action.timeoutMs);
  }

  #startPerTryTimeout(): void {
    const { action, retry } = this.#route ?? {};
    if (retry === undefined || retry.perTryTimeoutMs === 0 || action?.kind !== "forward") return;
    // One that is as long as the whole has no effect, as in Envoy.
    if (action.timeoutMs > 0 && retry.perTryTimeoutMs >= action.timeoutMs) return;
    this.#perTryTimeout = setTimeout(() => this.#onPerTryTimeout(), retry.perTryTimeoutMs);
  }

  #onPerTryTimeout(): void {
    const attempt = this.#attempt;
    const policy = this.#route?.retry;
    if (attempt === undefined || policy === undefined || this.#responseStarted || this.#cluster === undefined) return;
    this.#cluster.stats.upstream_rq_per_try_timeout++;
    attempt.cancel();
    if (retriesReset(policy, "local reset", true) && this.#retry(attempt.host)) return;
    this.#onTimeout("upstream_per_try_timeout");
  }

  #onTimeout(details: string): void {
    if (this.#cluster === undefined) return;
    if (details === "response_timeout") this.#cluster.stats.upstream_rq_timeout++;
    const { info } = this.#stream;
    if (this.#responseStarted) {
      info.flag("UT");
      info.details = details;
      this.#stream.resetStream();
      return;
    }
    this.#cluster.stats.countStatus(504);
    this.#stream.sendLocalReply({ status: 504, body: "upstream request timeout", details, flag: "UT" });
  }
}
