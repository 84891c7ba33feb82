import {
  type FilterOverride,
  type FilterOverrides,
  MatchTooLong,
  noOverrides,
  type RouteEntry,
} from "@fairlead/proxy-router";
import type {
  ConnectionInfo,
  HeaderMap,
  RequestHead,
  ResetReason,
  ResponseHead,
  ServerConnection,
  StreamReceiver,
  StreamSender,
} from "@fairlead/proxy-stream";
import type { ConnectionManagerConfig } from "./connection-manager-config.ts";
import { createFilters, FilterChain } from "./filter-chain.ts";
import { grpcTimeoutMs } from "./grpc-timeout.ts";
import type { LocalReply } from "./local-reply.ts";
import {
  redirectHead,
  type RedirectedRequest,
  type RedirectRefusal,
  redirectTarget,
  type RedirectTarget,
} from "./redirected-request.ts";
import { normalizePath, prepareHeaders } from "./request-preparation.ts";
import { type HttpStreamContext, ResponsePath } from "./response-path.ts";
import { RouterFilter } from "./router-filter.ts";
import type { HostCounts, StreamFilterCallbacks } from "./stream-filter.ts";
import { decideUpgrade } from "./upgrade-decision.ts";

export type { HttpStreamContext };

/** One request of a client: through the filters to the router, and the response back. */
export class HttpStream extends ResponsePath implements StreamReceiver<RequestHead>, StreamFilterCallbacks {
  readonly #secure: boolean;
  /** That the proxy has followed itself. */
  #redirects = 0;
  #overrides: FilterOverrides = noOverrides;

  constructor(
    context: HttpStreamContext,
    config: ConnectionManagerConfig,
    connection: ServerConnection,
    sender: StreamSender<ResponseHead>,
    secure = false,
  ) {
    super(context, config, connection, sender);
    this.#secure = secure;
  }

  get connection(): ConnectionInfo {
    return this.serverConnection.info;
  }

  get random(): () => number {
    return this.context.random;
  }

  get now(): () => number {
    return this.context.now;
  }

  get healthFailed(): boolean {
    return this.context.drain.healthFailed;
  }

  // From the client

  onHead(head: RequestHead, endStream: boolean): void {
    this.head = head;
    if (this.#secure) head.scheme = "https";
    this.info.setRequest(head);
    const { overload } = this.context;
    this.startTimeouts(this.config, overload?.timeoutScale);
    if (endStream && head.upgrade === undefined) this.endRequest(this.info.startMs);
    const config = this.config;
    if (overload?.stopsRequests === true) {
      this.context.stats.downstream_rq_overload_close++;
      this.sendLocalReply({ status: 503, body: "envoy overloaded", details: "overload", flag: "OM" });
      return;
    }
    if (this.#applyRules(head)) return;
    if (config.httpHeads) prepareHeaders(head, this.info, config);
    try {
      if (!this.#findRoute(head)) return;
      if (head.upgrade === undefined) this.#run(head, endStream);
      else this.#runUpgrade(head, head.upgrade, endStream);
    } catch (error) {
      this.#refuseTooLong(error);
    }
  }

  /** @returns whether the request is answered */
  #applyRules(head: RequestHead): boolean {
    const config = this.config;
    // Rules may take the path into headers that routes ask for: only of the spelling that is served, as in Envoy.
    let reply: LocalReply | undefined = normalizePath(head, config);
    for (const rule of config.requestRules) reply ??= rule(head, this.info);
    if (reply !== undefined) this.sendLocalReply(reply);
    return reply !== undefined;
  }

  onData(chunk: Buffer, endStream: boolean): void {
    if (this.over) return;
    this.info.bytesReceived += chunk.length;
    if (endStream) this.endRequest();
    this.touch();
    if (this.chain === undefined) this.router.onRequestData(chunk, endStream, true);
    else this.chain.onRequestData(chunk, endStream);
    if (endStream && this.responseEnded) this.finish();
  }

  onTrailers(trailers: HeaderMap): void {
    if (this.over) return;
    this.endRequest();
    this.touch();
    if (this.chain === undefined) this.router.onRequestTrailers(trailers);
    else this.chain.onRequestTrailers(trailers);
  }

  onReset(reason: ResetReason, text: string): void {
    if (this.over) return;
    // Else only the stream has ended.
    if (reason !== "remote reset") this.info.connectionTermination = text;
    this.context.stats.downstream_rq_rx_reset++;
    const { protocol } = this.info;
    const [flag, details] =
      reason === "protocol error"
        ? (["DPE", `${protocol}.codec_error`] as const)
        : reason === "remote reset"
          ? (["DR", `${protocol}.remote_reset`] as const)
          : (["DC", "downstream_remote_disconnect"] as const);
    this.info.flag(flag);
    this.info.details = details;
    this.finish();
  }

  // What filters do

  continueRequest(): void {
    try {
      this.chain?.continueRequest();
    } catch (error) {
      this.#refuseTooLong(error);
    }
    this.#holdClient();
  }

  hostsOf(cluster: string): HostCounts | undefined {
    const stats = this.context.clusters.get(cluster)?.stats;
    if (stats === undefined) return undefined;
    return { total: stats.membership_total, usable: stats.membership_healthy + stats.membership_degraded };
  }

  override(filter: string): FilterOverride | undefined {
    return this.#overrides.get(filter);
  }

  count(stat: string, by = 1): void {
    this.context.stats.count(stat, by);
  }

  // The route

  /** @returns false when the request is answered. @throws MatchTooLong */
  #findRoute(head: RequestHead): boolean {
    const routes = this.config.routes();
    if (routes === undefined) {
      this.context.stats.no_route++;
      this.sendLocalReply({ status: 404, body: "", details: "route_configuration_not_found", flag: "NR" });
      return false;
    }
    this.#take(routes.find(head, this.context.random), head);
    return true;
  }

  #take(route: RouteEntry | undefined, head: RequestHead): void {
    this.route = route;
    this.target = route?.pickCluster(this.context.random, head);
    if (route === undefined) return;
    this.#overrides = route.filtersFor(this.target);
    const action = route.action.kind === "forward" ? route.action : undefined;
    if (action?.idleTimeoutMs !== undefined) {
      this.setIdleTimeout(action.idleTimeoutMs);
      if (this.config.streamFlushTimeoutMs === undefined) this.sender.setFlushTimeout?.(action.idleTimeoutMs);
    }
    if (action?.flushTimeoutMs !== undefined) this.sender.setFlushTimeout?.(action.flushTimeoutMs);
    const grpcMs = action?.maxGrpcTimeoutMs === undefined ? undefined : grpcTimeoutMs(head.headers, action);
    const durationMs = grpcMs ?? action?.maxStreamDurationMs ?? this.config.maxStreamDurationMs;
    if (durationMs > 0) this.setMaxDuration(durationMs);
  }

  // Redirects that the client does not see

  override followRedirect(redirected: RedirectedRequest): boolean {
    const { head } = this;
    if (head === undefined || this.over) return false;
    const target = redirectTarget(redirected, head, this.#redirects);
    const before = { scheme: head.scheme, authority: head.authority, path: head.path };
    const route = typeof target === "string" ? target : this.#routeTo(target, head);
    if (typeof route === "string") {
      Object.assign(head, before);
      this.context.stats[route]++;
      return false;
    }
    this.#redirects++;
    this.router.destroy();
    this.endFilters();
    this.chain = undefined;
    this.router = new RouterFilter(this.context, this);
    this.info.beginAgain();
    this.#restart(route, head, redirectHead(head, before, redirected), redirected.trailers);
    return true;
  }

  #routeTo(target: RedirectTarget, head: RequestHead): RouteEntry | RedirectRefusal {
    Object.assign(head, target);
    const none = "passthrough_internal_redirect_no_route";
    if (normalizePath(head, this.config) !== undefined) return "passthrough_internal_redirect_bad_location";
    try {
      return this.config.routes()?.find(head, this.context.random) ?? none;
    } catch (error) {
      if (!(error instanceof MatchTooLong)) throw error;
      return none;
    }
  }

  #restart(route: RouteEntry, head: RequestHead, body: Buffer, trailers: HeaderMap | undefined): void {
    this.restartTimeouts(this.config, this.context.overload?.timeoutScale);
    this.#overrides = noOverrides;
    this.#take(route, head);
    try {
      this.#run(head, body.length === 0 && trailers === undefined);
      const to = this.chain ?? this.router;
      if (body.length > 0) to.onRequestData(body, trailers === undefined);
      if (trailers !== undefined && !this.over) to.onRequestTrailers(trailers);
    } catch (error) {
      this.#refuseTooLong(error);
    }
  }

  #run(head: RequestHead, endStream: boolean): void {
    const { filters } = this.config;
    const wanted = filters.length === 0 ? undefined : createFilters(filters, this.#overrides, this);
    if (wanted === undefined) {
      this.router.onRequestHead(head, endStream);
      return;
    }
    this.chain = new FilterChain(wanted, this.router);
    this.chain.onRequestHead(head, endStream);
    this.#holdClient();
  }

  #runUpgrade(head: RequestHead, upgrade: string, endStream: boolean): void {
    const decision = decideUpgrade(upgrade, this.route, this.config.upgrades, endStream);
    if (this.route === undefined || decision === "leave") {
      head.upgrade = undefined;
      if (endStream) this.endRequest();
      this.#run(head, endStream);
    } else if (decision === "refuse") {
      this.endRequest();
      this.sendLocalReply({ status: 403, body: "", details: "upgrade_failed" });
    } else {
      this.sender.openTunnel?.();
      this.#run(head, false);
    }
  }

  /** A pattern that would take too long refuses the request: to go on as if it had not matched could be a way past it. */
  #refuseTooLong(error: unknown): void {
    if (!(error instanceof MatchTooLong)) throw error;
    this.sendLocalReply({ status: error.status, body: "", details: "route_match_too_long" });
  }

  /** A stopped chain keeps what comes: the client must not be read from meanwhile. */
  #holdClient(): void {
    if (this.over || this.requestEnded) return;
    if (this.chain?.holdsClient === true) this.sender.pauseReading();
    else this.sender.resumeReading();
  }
}
