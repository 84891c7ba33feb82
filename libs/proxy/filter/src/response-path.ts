import type { Transform } from "node:stream";
import { PoolContext } from "@fairlead/pool";
import type { OverloadState } from "@fairlead/proxy-overload";
import type { RouteEntry, WeightedCluster } from "@fairlead/proxy-router";
import type { HeaderMap, RequestHead, ResponseHead, ServerConnection, StreamSender } from "@fairlead/proxy-stream";
import type { ConnectionManagerConfig } from "./connection-manager-config.ts";
import type { FilterChain } from "./filter-chain.ts";
import { httpDate } from "./http-date.ts";
import { type LocalReply, renderLocalReply } from "./local-reply.ts";
import type { ResponseDrain } from "./response-drain.ts";
import { ResponseTransforms } from "./response-transforms.ts";
import type { RedirectedRequest } from "./redirected-request.ts";
import { RouterFilter, type RouterFilterCallbacks, type RouterFilterContext } from "./router-filter.ts";
import { StreamInfo } from "./stream-info.ts";
import { StreamTimers } from "./stream-timers.ts";
import type { BodyOutput, BodyTransform } from "./transformed-body.ts";

/** What the streams of a listener have in common. */
export interface HttpStreamContext extends RouterFilterContext {
  readonly drain: ResponseDrain;
  readonly overload: OverloadState | undefined;
  /** The stream is over; it is told once. */
  readonly onStreamEnd: () => void;
}

/** Of all streams that are over: to take by it throws. */
const endedPools = new PoolContext();
endedPools.end();

/** The way of a response to the client, whoever gives it: a host, or the proxy itself. */
export abstract class ResponsePath extends StreamTimers implements RouterFilterCallbacks, BodyOutput {
  readonly info: StreamInfo;
  route: RouteEntry | undefined;
  /** Of the route's clusters; chosen once. */
  target: WeightedCluster | undefined;
  protected readonly context: HttpStreamContext;
  protected readonly config: ConnectionManagerConfig;
  protected readonly serverConnection: ServerConnection;
  protected readonly sender: StreamSender<ResponseHead>;
  /** Another one after a redirect that the proxy follows itself. */
  protected router: RouterFilter;
  protected chain: FilterChain | undefined;
  protected head: RequestHead | undefined;
  /** The response of a tunnel has ended, and its request has not. */
  protected responseEnded = false;
  protected over = false;
  #responseStarted = false;
  /** The upgrade was agreed to: each half ends on its own. */
  #tunnel = false;
  #transforms: ResponseTransforms | undefined;
  #pools: PoolContext | undefined;
  #clientBlocked = false;
  #transformBlocked = false;

  protected constructor(
    context: HttpStreamContext,
    config: ConnectionManagerConfig,
    connection: ServerConnection,
    sender: StreamSender<ResponseHead>,
  ) {
    super(context.wheel);
    this.context = context;
    this.config = config;
    this.serverConnection = connection;
    this.sender = sender;
    this.info = new StreamInfo(context.now(), connection.info);
    if (connection.clientProtocol !== undefined) this.info.protocol = connection.clientProtocol;
    this.router = new RouterFilter(context, this);
  }

  get pools(): PoolContext {
    return (this.#pools ??= new PoolContext());
  }

  onWriteBlocked(): void {
    this.#clientBlocked = true;
    this.router.onDownstreamBlocked(true);
  }

  onWritable(): void {
    this.touch();
    this.#clientBlocked = false;
    if (!this.#transformBlocked) this.router.onDownstreamBlocked(false);
  }

  transformResponse(transform: Transform | BodyTransform): void {
    this.#transforms ??= new ResponseTransforms(this);
    this.#transforms.add(transform);
  }

  sendLocalReply(reply: LocalReply): void {
    if (this.over) return;
    this.info.details = reply.details;
    if (reply.flag !== undefined) this.info.flag(reply.flag);
    const head = this.head;
    if (this.#responseStarted || head === undefined) {
      this.resetStream();
      return;
    }
    const { head: response, body } = renderLocalReply(this.#mapped(reply), head);
    this.route?.changeResponse(response.headers, this.target, this.info);
    if (body.length === 0) this.sendResponseHead(response, true);
    else {
      this.sendResponseHead(response, false);
      this.sendResponseData(typeof body === "string" ? Buffer.from(body) : Buffer.from(body), true);
    }
  }

  #mapped(reply: LocalReply): LocalReply {
    const { mapLocalReply } = this.config;
    this.info.localBody = reply.body;
    if (mapLocalReply === undefined) return reply;
    this.info.status = reply.status;
    const mapped = mapLocalReply(reply, this.info);
    this.info.localBody = mapped.body;
    return mapped;
  }

  setRequestReading(reading: boolean): void {
    if (reading) this.sender.resumeReading();
    else this.sender.pauseReading();
  }

  abstract followRedirect(redirected: RedirectedRequest): boolean;

  // To the client

  sendContinue(): void {
    if (!this.over) this.sender.sendContinue?.();
  }

  sendResponseHead(head: ResponseHead, endStream: boolean): void {
    if (this.over) return;
    this.#responseStarted = true;
    this.info.status = head.status;
    this.info.setResponse(head);
    if (this.head?.upgrade !== undefined) this.#answerUpgrade(this.head.upgrade, head.status);
    if (this.config.httpHeads) this.#completeResponse(head.headers);
    this.touch();
    this.chain?.onResponseHead(head, endStream);
    this.context.stats.countStatus(head.status);
    if (this.context.drain.active) this.#drainConnection();
    this.sender.sendHead(head, endStream);
    if (endStream) this.finish();
  }

  #completeResponse(headers: HeaderMap): void {
    const { serverHeader, serverName } = this.config;
    if (serverHeader === "overwrite") headers.set("server", serverName);
    else if (serverHeader === "appendIfAbsent" && !headers.has("server")) headers.add("server", serverName);
    if (!headers.has("date")) headers.add("date", httpDate());
    for (const rule of this.config.responseRules) rule(headers, this.info);
  }

  #drainConnection(): void {
    if (!this.context.drain.closes()) return;
    if (this.context.drain.overloaded) this.context.stats.downstream_cx_overload_disable_keepalive++;
    else this.context.stats.downstream_cx_drain_close++;
    this.serverConnection.drain();
  }

  sendResponseData(chunk: Buffer, endStream: boolean): void {
    if (this.over) return;
    this.touch();
    const seen = this.chain?.onResponseData(chunk, endStream) ?? false;
    if (this.#transforms === undefined) this.#sendData(chunk, endStream, !seen);
    else this.#transforms.write(chunk, endStream);
  }

  onTransformedData(chunk: Buffer, endStream: boolean): void {
    this.#sendData(chunk, endStream, false);
  }

  /** @param unshared no filter has seen the chunk, so that none can hold it */
  #sendData(chunk: Buffer, endStream: boolean, unshared: boolean): void {
    if (this.over) return;
    this.info.bytesSent += chunk.length;
    this.sender.sendData(chunk, endStream, unshared);
    if (endStream) this.#endResponse();
  }

  sendResponseTrailers(trailers: HeaderMap): void {
    if (this.over) return;
    this.info.setTrailers(trailers);
    this.chain?.onResponseTrailers(trailers);
    if (this.#transforms === undefined) this.onTransformedTrailers(trailers);
    else this.#transforms.end(trailers);
  }

  onTransformedTrailers(trailers: HeaderMap): void {
    if (this.over) return;
    this.sender.sendTrailers(trailers);
    this.finish();
  }

  onTransformFailure(): void {
    this.info.details = "response_transform_failed";
    this.resetStream();
  }

  onTransformBlocked(blocked: boolean): void {
    this.#transformBlocked = blocked;
    this.router.onDownstreamBlocked(blocked || this.#clientBlocked);
  }

  resetStream(): void {
    if (this.over) return;
    this.sender.reset("local reset");
    this.finish();
  }

  // Time

  protected override onRequestTimeout(): void {
    this.context.stats.downstream_rq_timeout++;
    this.sendLocalReply({ status: 408, body: "request timeout", details: "request_overall_timeout" });
  }

  protected override onIdleTimeout(): void {
    this.context.stats.downstream_rq_idle_timeout++;
    const status = this.requestEnded ? 504 : 408;
    this.sendLocalReply({ status, body: "stream timeout", details: "stream_idle_timeout", flag: "SI" });
  }

  protected override onMaxDuration(): void {
    this.context.stats.downstream_rq_max_duration_reached++;
    this.sendLocalReply({
      status: this.requestEnded ? 504 : 408,
      body: "downstream duration timeout",
      details: "max_duration_timeout",
      grpcStatus: 4,
    });
  }

  /** @param nowMs where the clock has just been read */
  protected endRequest(nowMs = this.context.now()): void {
    this.requestEnded = true;
    this.info.requestEndMs = nowMs;
  }

  #answerUpgrade(upgrade: string, status: number): void {
    this.#tunnel = upgrade === "connect" ? status >= 200 && status < 300 : status === 101;
    if (!this.#tunnel) return;
    const { stats } = this.context;
    stats.downstream_cx_upgrades_total++;
    stats.downstream_cx_upgrades_active++;
    this.endRequestTimeout();
  }

  /** Of a tunnel, the client's half may go on. */
  #endResponse(): void {
    this.responseEnded = this.#tunnel && !this.requestEnded;
    if (!this.responseEnded) this.finish();
  }

  /** They have nothing more to do. @param pools by which is taken from now on; a new one where the stream begins again with others */
  protected endFilters(pools?: PoolContext): void {
    this.chain?.destroy();
    this.#pools?.end();
    this.#pools = pools;
  }

  protected finish(): void {
    if (this.over) return;
    this.over = true;
    const { info } = this;
    info.endMs = this.context.now();
    this.context.stats.downstream_rq_time.record(info.endMs - info.startMs);
    this.endTimers();
    if (this.#tunnel) this.context.stats.downstream_cx_upgrades_active--;
    this.router.destroy();
    this.#transforms?.destroy();
    this.endFilters(endedPools);
    const { accessLog } = this.config;
    if (accessLog !== undefined) accessLog(info);
    this.context.onStreamEnd();
  }
}
