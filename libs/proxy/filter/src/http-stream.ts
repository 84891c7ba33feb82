import type { Transform } from "node:stream";
import type { OverloadState } from "@fairlead/proxy-overload";
import {
  type FilterOverride,
  type FilterOverrides,
  MatchTooLong,
  noOverrides,
  type RouteEntry,
  type WeightedCluster,
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
import { httpDate } from "./http-date.ts";
import { type LocalReply, renderLocalReply } from "./local-reply.ts";
import { normalizePath, prepareHeaders } from "./request-preparation.ts";
import type { ResponseDrain } from "./response-drain.ts";
import { RouterFilter, type RouterFilterCallbacks, type RouterFilterContext } from "./router-filter.ts";
import type { StreamFilterCallbacks } from "./stream-filter.ts";
import { StreamInfo } from "./stream-info.ts";
import { StreamTimers } from "./stream-timers.ts";
import { type BodyOutput, type BodyTransform, TransformedBody } from "./transformed-body.ts";
import { decideUpgrade } from "./upgrade-decision.ts";

export interface HttpStreamContext extends RouterFilterContext {
  readonly drain: ResponseDrain;
  readonly overload: OverloadState | undefined;
  /** The stream is over; it is told once. */
  readonly onStreamEnd: (stream: HttpStream) => void;
}

/** One request of a client: through the filters to the router, and the response back. */
export class HttpStream
  extends StreamTimers
  implements StreamReceiver<RequestHead>, StreamFilterCallbacks, RouterFilterCallbacks, BodyOutput
{
  readonly info: StreamInfo;
  route: RouteEntry | undefined;
  readonly #context: HttpStreamContext;
  readonly #config: ConnectionManagerConfig;
  readonly #connection: ServerConnection;
  readonly #sender: StreamSender<ResponseHead>;
  readonly #secure: boolean;
  readonly #router: RouterFilter;
  #chain: FilterChain | undefined;
  #target: WeightedCluster | undefined;
  #overrides: FilterOverrides = noOverrides;
  #head: RequestHead | undefined;
  #responseStarted = false;
  #responseEnded = false;
  /** The upgrade was agreed to: each half ends on its own. */
  #tunnel = false;
  #transformed: TransformedBody | undefined;
  #clientBlocked = false;
  #transformBlocked = false;
  #over = false;

  constructor(
    context: HttpStreamContext,
    config: ConnectionManagerConfig,
    connection: ServerConnection,
    sender: StreamSender<ResponseHead>,
    secure = false,
  ) {
    super(context.wheel);
    this.#context = context;
    this.#config = config;
    this.#connection = connection;
    this.#sender = sender;
    this.#secure = secure;
    this.info = new StreamInfo(context.now(), connection.info);
    if (connection.clientProtocol !== undefined) this.info.protocol = connection.clientProtocol;
    this.#router = new RouterFilter(context, this);
  }

  get connection(): ConnectionInfo {
    return this.#connection.info;
  }

  get random(): () => number {
    return this.#context.random;
  }

  get now(): () => number {
    return this.#context.now;
  }

  get healthFailed(): boolean {
    return this.#context.drain.healthFailed;
  }

  /** Of the route's clusters; chosen once. */
  get target(): WeightedCluster | undefined {
    return this.#target;
  }

  // From the client

  onHead(head: RequestHead, endStream: boolean): void {
    this.#head = head;
    if (this.#secure) head.scheme = "https";
    this.info.setRequest(head);
    const { overload } = this.#context;
    this.startTimeouts(this.#config, overload?.timeoutScale);
    if (endStream && head.upgrade === undefined) this.#onRequestEnd();
    const config = this.#config;
    if (overload?.stopsRequests === true) {
      this.#context.stats.downstream_rq_overload_close++;
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
    const config = this.#config;
    let reply: LocalReply | undefined;
    for (const rule of config.requestRules) reply ??= rule(head, this.info);
    if (config.normalizePath || config.escapedSlashes !== "keep") reply ??= normalizePath(head, config);
    if (reply !== undefined) this.sendLocalReply(reply);
    return reply !== undefined;
  }

  onData(chunk: Buffer, endStream: boolean): void {
    if (this.#over) return;
    this.info.bytesReceived += chunk.length;
    if (endStream) this.#onRequestEnd();
    this.touch();
    if (this.#chain === undefined) this.#router.onRequestData(chunk, endStream);
    else this.#chain.onRequestData(chunk, endStream);
    if (endStream && this.#responseEnded) this.#finish();
  }

  onTrailers(trailers: HeaderMap): void {
    if (this.#over) return;
    this.#onRequestEnd();
    this.touch();
    if (this.#chain === undefined) this.#router.onRequestTrailers(trailers);
    else this.#chain.onRequestTrailers(trailers);
  }

  onReset(reason: ResetReason, _details: string): void {
    if (this.#over) return;
    this.#context.stats.downstream_rq_rx_reset++;
    const { protocol } = this.info;
    const [flag, details] =
      reason === "protocol error"
        ? (["DPE", `${protocol}.codec_error`] as const)
        : reason === "remote reset"
          ? (["DR", `${protocol}.remote_reset`] as const)
          : (["DC", "downstream_remote_disconnect"] as const);
    this.info.flag(flag);
    this.info.details = details;
    this.#finish();
  }

  onWriteBlocked(): void {
    this.#clientBlocked = true;
    this.#router.onDownstreamBlocked(true);
  }

  onWritable(): void {
    this.touch();
    this.#clientBlocked = false;
    if (!this.#transformBlocked) this.#router.onDownstreamBlocked(false);
  }

  // What filters do

  continueRequest(): void {
    try {
      this.#chain?.continueRequest();
    } catch (error) {
      this.#refuseTooLong(error);
    }
    this.#holdClient();
  }

  override(filter: string): FilterOverride | undefined {
    return this.#overrides.get(filter);
  }

  count(stat: string, by = 1): void {
    this.#context.stats.count(stat, by);
  }

  transformResponse(transform: Transform | BodyTransform): void {
    this.#transformed = new TransformedBody(transform, this);
  }

  sendLocalReply(reply: LocalReply): void {
    if (this.#over) return;
    this.info.details = reply.details;
    if (reply.flag !== undefined) this.info.flag(reply.flag);
    const head = this.#head;
    if (this.#responseStarted || head === undefined) {
      this.resetStream();
      return;
    }
    const { head: response, body } = renderLocalReply(this.#mapped(reply), head);
    this.route?.changeResponse(response.headers, this.#target, this.info);
    if (body === "") this.sendResponseHead(response, true);
    else {
      this.sendResponseHead(response, false);
      this.sendResponseData(Buffer.from(body), true);
    }
  }

  #mapped(reply: LocalReply): LocalReply {
    const { mapLocalReply } = this.#config;
    this.info.localBody = reply.body;
    if (mapLocalReply === undefined) return reply;
    this.info.status = reply.status;
    const mapped = mapLocalReply(reply, this.info);
    this.info.localBody = mapped.body;
    return mapped;
  }

  setRequestReading(reading: boolean): void {
    if (reading) this.#sender.resumeReading();
    else this.#sender.pauseReading();
  }

  // To the client

  sendResponseHead(head: ResponseHead, endStream: boolean): void {
    if (this.#over) return;
    this.#responseStarted = true;
    this.info.status = head.status;
    this.info.setResponse(head);
    if (this.#head?.upgrade !== undefined) this.#answerUpgrade(this.#head.upgrade, head.status);
    if (this.#config.httpHeads) this.#completeResponse(head.headers);
    this.touch();
    this.#chain?.onResponseHead(head, endStream);
    this.#context.stats.countStatus(head.status);
    if (this.#context.drain.active) this.#drainConnection();
    this.#sender.sendHead(head, endStream);
    if (endStream) this.#finish();
  }

  #completeResponse(headers: HeaderMap): void {
    const { serverHeader, serverName } = this.#config;
    if (serverHeader === "overwrite") headers.set("server", serverName);
    else if (serverHeader === "appendIfAbsent" && !headers.has("server")) headers.add("server", serverName);
    if (!headers.has("date")) headers.add("date", httpDate());
    for (const rule of this.#config.responseRules) rule(headers, this.info);
  }

  #drainConnection(): void {
    if (!this.#context.drain.closes()) return;
    if (this.#context.drain.overloaded) this.#context.stats.downstream_cx_overload_disable_keepalive++;
    else this.#context.stats.downstream_cx_drain_close++;
    this.#connection.drain();
  }

  sendResponseData(chunk: Buffer, endStream: boolean): void {
    if (this.#over) return;
    this.touch();
    this.#chain?.onResponseData(chunk, endStream);
    if (this.#transformed === undefined) this.onTransformedData(chunk, endStream);
    else this.#transformed.write(chunk, endStream);
  }

  onTransformedData(chunk: Buffer, endStream: boolean): void {
    if (this.#over) return;
    this.info.bytesSent += chunk.length;
    this.#sender.sendData(chunk, endStream);
    if (endStream) this.#endResponse();
  }

  sendResponseTrailers(trailers: HeaderMap): void {
    if (this.#over) return;
    this.info.setTrailers(trailers);
    this.#chain?.onResponseTrailers(trailers);
    if (this.#transformed === undefined) this.onTransformedTrailers(trailers);
    else this.#transformed.end(trailers);
  }

  onTransformedTrailers(trailers: HeaderMap): void {
    if (this.#over) return;
    this.#sender.sendTrailers(trailers);
    this.#finish();
  }

  onTransformFailure(): void {
    this.info.details = "response_transform_failed";
    this.resetStream();
  }

  onTransformBlocked(blocked: boolean): void {
    this.#transformBlocked = blocked;
    this.#router.onDownstreamBlocked(blocked || this.#clientBlocked);
  }

  resetStream(): void {
    if (this.#over) return;
    this.#sender.reset("local reset");
    this.#finish();
  }

  // Time

  protected override onRequestTimeout(): void {
    this.#context.stats.downstream_rq_timeout++;
    this.sendLocalReply({ status: 408, body: "request timeout", details: "request_overall_timeout" });
  }

  protected override onIdleTimeout(): void {
    this.#context.stats.downstream_rq_idle_timeout++;
    const status = this.requestEnded ? 504 : 408;
    this.sendLocalReply({ status, body: "stream timeout", details: "stream_idle_timeout", flag: "SI" });
  }

  protected override onMaxDuration(): void {
    this.#context.stats.downstream_rq_max_duration_reached++;
    this.sendLocalReply({
      status: this.requestEnded ? 504 : 408,
      body: "downstream duration timeout",
      details: "max_duration_timeout",
      grpcStatus: 4,
    });
  }

  #onRequestEnd(): void {
    this.requestEnded = true;
    this.info.requestEndMs = this.#context.now();
  }

  // The route

  /** @returns false when the request is answered. @throws MatchTooLong */
  #findRoute(head: RequestHead): boolean {
    const routes = this.#config.routes();
    if (routes === undefined) {
      this.#context.stats.no_route++;
      this.sendLocalReply({ status: 404, body: "", details: "route_configuration_not_found", flag: "NR" });
      return false;
    }
    const route = routes.find(head, this.#context.random);
    this.route = route;
    this.#target = route?.pickCluster(this.#context.random, head);
    if (route === undefined) return true;
    this.#overrides = route.filtersFor(this.#target);
    const action = route.action.kind === "forward" ? route.action : undefined;
    if (action?.idleTimeoutMs !== undefined) {
      this.setIdleTimeout(action.idleTimeoutMs);
    }
    const grpcMs = action?.maxGrpcTimeoutMs === undefined ? undefined : grpcTimeoutMs(head.headers, action);
    const durationMs = grpcMs ?? action?.maxStreamDurationMs ?? this.#config.maxStreamDurationMs;
    if (durationMs > 0) this.setMaxDuration(durationMs);
    return true;
  }

  #run(head: RequestHead, endStream: boolean): void {
    const { filters } = this.#config;
    const wanted = filters.length === 0 ? undefined : createFilters(filters, this.#overrides, this);
    if (wanted === undefined) {
      this.#router.onRequestHead(head, endStream);
      return;
    }
    this.#chain = new FilterChain(wanted, this.#router);
    this.#chain.onRequestHead(head, endStream);
    this.#holdClient();
  }

  #runUpgrade(head: RequestHead, upgrade: string, endStream: boolean): void {
    const decision = decideUpgrade(upgrade, this.route, this.#config.upgrades, endStream);
    if (this.route === undefined || decision === "leave") {
      head.upgrade = undefined;
      if (endStream) this.#onRequestEnd();
      this.#run(head, endStream);
    } else if (decision === "refuse") {
      this.#onRequestEnd();
      this.sendLocalReply({ status: 403, body: "", details: "upgrade_failed" });
    } else {
      this.#sender.openTunnel?.();
      this.#run(head, false);
    }
  }

  #answerUpgrade(upgrade: string, status: number): void {
    this.#tunnel = upgrade === "connect" ? status >= 200 && status < 300 : status === 101;
    if (!this.#tunnel) return;
    const { stats } = this.#context;
    stats.downstream_cx_upgrades_total++;
    stats.downstream_cx_upgrades_active++;
    this.endRequestTimeout();
  }

  /** Of a tunnel, the client's half may go on. */
  #endResponse(): void {
    this.#responseEnded = this.#tunnel && !this.requestEnded;
    if (!this.#responseEnded) this.#finish();
  }

  /** A pattern that would take too long refuses the request: to go on as if it had not matched could be a way past it. */
  #refuseTooLong(error: unknown): void {
    if (!(error instanceof MatchTooLong)) throw error;
    this.sendLocalReply({ status: error.status, body: "", details: "route_match_too_long" });
  }

  /** A stopped chain keeps what comes: the client must not be read from meanwhile. */
  #holdClient(): void {
    if (this.#over || this.requestEnded) return;
    if (this.#chain?.holdsClient === true) this.#sender.pauseReading();
    else this.#sender.resumeReading();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.endTimers();
    if (this.#tunnel) this.#context.stats.downstream_cx_upgrades_active--;
    this.#router.destroy();
    this.#transformed?.destroy();
    this.#chain?.destroy();
    const { accessLog } = this.#config;
    if (accessLog !== undefined) {
      this.info.endMs = this.#context.now();
      accessLog(this.info);
    }
    this.#context.onStreamEnd(this);
  }
}
