import type { RouteEntry, VirtualCluster, WeightedCluster } from "@fairlead/proxy-router";
import type { HeaderMap, RequestHead, ResetReason, ResponseHead } from "@fairlead/proxy-stream";
import { type CircuitBreaker, type Cluster, type Host, TunnelPool } from "@fairlead/proxy-upstream";
import { AttemptTimers, type TimedRequest } from "./attempt-timers.ts";
import type { ForwardPlan } from "./forward-plan.ts";
import { destinationOf } from "./original-destination.ts";
import { ReplayBuffer } from "./replay-buffer.ts";
import type { RetryState } from "./retry-state.ts";
import type { RouterFilterCallbacks, RouterFilterContext } from "./router-filter-context.ts";
import { serverNameOf } from "./server-name.ts";
import { UpstreamRequest, type UpstreamRequestOwner } from "./upstream-request.ts";

/** Bytes of a request's body that are kept for another attempt (Envoy's default). */
const REPLAY_BYTES = 1024 * 1024;
/** RFC 9110 §9.2.2: sending them twice does what sending them once does. */
export const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** The attempts at one request, one after the other: to which host, over which pool, and what is sent again. */
export abstract class UpstreamAttempts implements UpstreamRequestOwner, TimedRequest {
  protected readonly context: RouterFilterContext;
  protected readonly stream: RouterFilterCallbacks;
  protected readonly replay = new ReplayBuffer(REPLAY_BYTES);
  protected head: RequestHead | undefined;
  protected trailers: HeaderMap | undefined;
  protected route: RouteEntry | undefined;
  protected target: WeightedCluster | undefined;
  protected cluster: Cluster | undefined;
  /** Of the request's priority; the request is counted in it. */
  protected breaker: CircuitBreaker | undefined;
  protected attempt: UpstreamRequest | undefined;
  protected requestEnded = false;
  protected responseStarted = false;
  protected over = false;
  /** The last attempt took too long. */
  protected timedOut = false;
  protected keepsBody = false;
  protected plan: ForwardPlan | undefined;
  protected retries: RetryState | undefined;
  protected downstreamBlocked = false;
  /** Nearly no request has one. */
  declare protected virtualCluster?: VirtualCluster;
  protected readonly timers: AttemptTimers;
  #upstreamBlocked = false;
  #readingPaused = false;

  constructor(context: RouterFilterContext, stream: RouterFilterCallbacks) {
    this.context = context;
    this.stream = stream;
    this.timers = new AttemptTimers(this, context.wheel);
  }

  abstract onUpstreamHead(attempt: UpstreamRequest, head: ResponseHead, endStream: boolean): void;
  abstract onUpstreamData(attempt: UpstreamRequest, chunk: Buffer, endStream: boolean): void;
  abstract onUpstreamTrailers(attempt: UpstreamRequest, trailers: HeaderMap): void;
  abstract onUpstreamReset(attempt: UpstreamRequest, reason: ResetReason, details: string): void;
  abstract onRequestTimeout(): void;
  abstract onStreamDuration(): void;
  abstract onAttemptTimeout(details: string): void;

  #wantedHost(cluster: Cluster | undefined): Parameters<Cluster["pickHost"]>[0] {
    if (cluster?.config.originalDestination !== undefined)
      return { destination: destinationOf(cluster, this.head, this.stream.info.connection) };
    const hash = this.plan?.hash;
    const subset = this.target?.subset;
    return hash === undefined && subset === undefined ? undefined : { hash, subset };
  }

  /** @param fresh true = the last attempt met a closed idle connection: not again */
  protected tryHost(fresh: boolean): void {
    const name = this.target?.name ?? "";
    // The cluster may have been replaced since the first attempt.
    const cluster = this.context.clusters.get(name) ?? this.cluster;
    const wanted = this.#wantedHost(cluster);
    const host = cluster?.pickHost(this.retries === undefined ? wanted : this.retries.choice(wanted));
    if (host === undefined) {
      this.stream.sendLocalReply({
        status: 503,
        body: "no healthy upstream",
        details: "no_healthy_upstream",
        flag: "UH",
      });
      return;
    }
    const { info } = this.stream;
    const head = this.head;
    info.attempts++;
    info.setHost(host);
    if (head !== undefined && this.route?.includeAttemptCount === true)
      head.headers.set("x-envoy-attempt-count", String(info.attempts));
    if (head !== undefined && info.attempts > 1 && this.route?.includeTimeoutRetry === true)
      head.headers.set("x-envoy-is-timeout-retry", String(this.timedOut));
    if (head !== undefined && this.route?.rewritesHostToEndpoint === true && host.hostname !== "")
      this.route.setHost(head, host.hostname);
    const attempt = new UpstreamRequest(this, host, fresh, this.#poolFor(host));
    attempt.clientProtocol = info.protocol;
    if (head !== undefined) attempt.serverName = serverNameOf(host.settings, head);
    this.attempt = attempt;
    this.#upstreamBlocked = false;
    const { retry, perTryMs = 0 } = this.plan ?? {};
    if (retry !== undefined) this.timers.startAttempt(perTryMs, retry.perTryIdleTimeoutMs);
    attempt.start();
  }

  /** A CONNECT that ends here goes on as bytes. */
  #poolFor(host: Host): ConstructorParameters<typeof UpstreamRequest>[3] {
    const action = this.route?.action;
    const cluster = this.cluster;
    if (cluster === undefined || action?.kind !== "forward") return undefined;
    if (this.head?.upgrade === "connect" && action.endsConnect === true)
      return new TunnelPool(cluster, this.breaker ?? cluster.breaker, host, this.context.wheel);
    return action.highPriority === true ? host.highPool : undefined;
  }

  onUpstreamReady(attempt: UpstreamRequest): void {
    const { sender } = attempt;
    const head = this.head;
    if (this.attempt !== attempt || sender === undefined || head === undefined) return;
    this.#noteConnection(attempt);
    const { chunks } = this.replay;
    const trailers = this.trailers;
    const ends = this.requestEnded && trailers === undefined;
    sender.sendHead(head, ends && chunks.length === 0);
    for (const [i, chunk] of chunks.entries()) sender.sendData(chunk, ends && i === chunks.length - 1);
    if (trailers !== undefined) sender.sendTrailers(trailers);
    if (this.over || this.attempt !== attempt) return;
    if (this.downstreamBlocked) sender.pauseReading();
    if (!this.keepsBody) this.replay.drop();
    else if (this.replay.full) this.abandonReplay();
    this.updateReading();
  }

  #noteConnection({ connection }: UpstreamRequest): void {
    const { info } = this.stream;
    const durationMs = this.plan?.streamDurationMs ?? this.cluster?.config.maxStreamDurationMs ?? 0;
    if (durationMs > 0) this.timers.startStream(durationMs);
    this.countVirtual("upstream_rq_total");
    info.upstreamStartMs = this.context.now();
    if (connection !== undefined) info.setUpstream(connection);
    const protocol = this.cluster?.config.protocol;
    info.upstreamProtocol = protocol === "http1" || protocol === "http2" ? protocol : info.protocol;
  }

  /** The response, or what the proxy says where there is none. */
  protected countStatus(status: number): void {
    this.cluster?.stats.countStatus(status);
    if (this.virtualCluster === undefined) return;
    this.countVirtual(`upstream_rq_${status}`);
    this.countVirtual(`upstream_rq_${Math.trunc(status / 100)}xx`);
  }

  protected countVirtual(stat: string): void {
    if (this.virtualCluster !== undefined)
      this.context.virtualHostStats?.byName.count(`${this.virtualCluster.prefix}${stat}`);
  }

  protected cancelAttempt(attempt: UpstreamRequest | undefined): void {
    if (attempt?.cancel() === true && this.cluster !== undefined) this.cluster.stats.upstream_rq_tx_reset++;
  }

  protected abandonReplay(): void {
    if (this.plan?.retry !== undefined && this.cluster !== undefined) this.cluster.stats.retry_or_shadow_abandoned++;
    this.keepsBody = false;
    this.replay.drop();
  }

  onUpstreamBlocked(blocked: boolean): void {
    this.#upstreamBlocked = blocked;
    this.updateReading();
  }

  /** The client is read from while the host takes what it sends, and while what has no host yet is little. */
  protected updateReading(): void {
    const pause = this.#upstreamBlocked || (this.attempt?.sender === undefined && this.replay.full);
    if (pause === this.#readingPaused) return;
    this.#readingPaused = pause;
    if (pause) this.context.stats.downstream_flow_control_paused_reading_total++;
    this.stream.setRequestReading(!pause);
  }

  /**
   * The host closed an idle connection while our request was on its way, or said that it has not begun with it: no fault of the
   * request, and not counted as a retry. In the first case only what may be sent twice is: a host that closes in mid-request looks
   * the same.
   */
  protected replayOnFreshConnection(attempt: UpstreamRequest, reason: ResetReason): boolean {
    const head = this.head;
    if (head === undefined || this.cluster === undefined || attempt.fresh || !this.replay.complete) return false;
    const unprocessed = reason === "remote refused stream reset";
    const mayHaveGone = reason === "connection termination" && attempt.reused && idempotent.has(head.method);
    if (!unprocessed && !mayHaveGone) return false;
    this.cluster.stats.upstream_rq_replayed++;
    this.tryHost(true);
    return true;
  }

  /** @returns false when no other attempt is allowed */
  protected tryAgain(host: Host, response?: HeaderMap): boolean {
    const again = (): void => this.tryHost(false);
    if (this.retries?.schedule(host, this.replay.complete, response, this.stream.info, again) !== true) return false;
    this.countVirtual("upstream_rq_retry");
    this.timers.endAttempt();
    this.attempt = undefined;
    return true;
  }
}
