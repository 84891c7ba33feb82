import { randomUUID } from "node:crypto";
import { canonicalPath, MatchTooLong, type RouteEntry, type RouteTable } from "@fairlead/proxy-router";
import type {
  Deadline,
  DeadlineSweep,
  HeaderMap,
  RequestHead,
  ResetReason,
  ResponseHead,
  ServerConnection,
  StreamReceiver,
  StreamSender,
} from "@fairlead/proxy-stream";
import type { ConnectionManagerConfig } from "./connection-manager-config.ts";
import { FilterChain } from "./filter-chain.ts";
import { httpDate } from "./http-date.ts";
import { type LocalReply, renderLocalReply } from "./local-reply.ts";
import { RouterFilter, type RouterFilterCallbacks, type RouterFilterContext } from "./router-filter.ts";
import type { StreamFilterCallbacks } from "./stream-filter.ts";
import { StreamInfo } from "./stream-info.ts";

const NO_BYTES = Buffer.alloc(0);

export interface HttpStreamContext extends RouterFilterContext {
  readonly sweep: DeadlineSweep;
  /** The stream is over; it is told once. */
  readonly onStreamEnd: (stream: HttpStream) => void;
}

/** One request of a client: through the filters to the router, and the response back. */
export class HttpStream implements StreamReceiver<RequestHead>, StreamFilterCallbacks, RouterFilterCallbacks, Deadline {
  readonly info: StreamInfo;
  route: RouteEntry | undefined;
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #context: HttpStreamContext;
  readonly #config: ConnectionManagerConfig;
  readonly #connection: ServerConnection;
  readonly #sender: StreamSender<ResponseHead>;
  readonly #router: RouterFilter;
  readonly #chain: FilterChain | undefined;
  #head: RequestHead | undefined;
  #requestEnded = false;
  #requestDeadlineMs = Number.POSITIVE_INFINITY;
  #responseStarted = false;
  #over = false;

  constructor(
    context: HttpStreamContext,
    config: ConnectionManagerConfig,
    connection: ServerConnection,
    sender: StreamSender<ResponseHead>,
  ) {
    this.#context = context;
    this.#config = config;
    this.#connection = connection;
    this.#sender = sender;
    this.info = new StreamInfo(context.now());
    this.#router = new RouterFilter(context, this);
    this.#chain =
      config.filters.length === 0
        ? undefined
        : new FilterChain(
            config.filters.map((factory) => factory(this)),
            this.#router,
          );
  }

  // From the client

  onHead(head: RequestHead, endStream: boolean): void {
    const { info } = this;
    this.#head = head;
    info.method = head.method;
    info.path = head.path;
    info.authority = head.authority;
    this.#startTimeouts();
    if (endStream) this.#onRequestEnd();
    const config = this.#config;
    if (config.normalizePath && !this.#normalizePath(head)) return;
    this.#addHeaders(head);
    const routes = config.routes();
    if (routes === undefined) {
      this.#context.stats.no_route++;
      this.sendLocalReply({ status: 404, body: "", details: "route_configuration_not_found", flag: "NR" });
      return;
    }
    if (!this.#findRoute(routes, head)) return;
    if (this.#chain === undefined) this.#router.onRequestHead(head, endStream);
    else {
      this.#chain.onRequestHead(head, endStream);
      this.#holdClient();
    }
  }

  onData(chunk: Buffer, endStream: boolean): void {
    if (this.#over) return;
    this.info.bytesReceived += chunk.length;
    if (endStream) this.#onRequestEnd();
    this.#touch();
    if (this.#chain === undefined) this.#router.onRequestData(chunk, endStream);
    else this.#chain.onRequestData(chunk, endStream);
  }

  onTrailers(_trailers: HeaderMap): void {
    this.onData(NO_BYTES, true);
  }

  onReset(reason: ResetReason, _details: string): void {
    if (this.#over) return;
    this.#context.stats.downstream_rq_rx_reset++;
    this.info.flag(reason === "protocol error" ? "DPE" : "DC");
    this.info.details = reason === "protocol error" ? "http1.codec_error" : "downstream_remote_disconnect";
    this.#finish();
  }

  onWriteBlocked(): void {
    this.#router.onDownstreamBlocked(true);
  }

  onWritable(): void {
    this.#touch();
    this.#router.onDownstreamBlocked(false);
  }

  // What filters do

  continueRequest(): void {
    this.#chain?.continueRequest();
    this.#holdClient();
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
    const { head: response, body } = renderLocalReply(reply, head);
    this.route?.changeResponse(response.headers);
    if (body === "") this.sendResponseHead(response, true);
    else {
      this.sendResponseHead(response, false);
      this.sendResponseData(Buffer.from(body), true);
    }
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
    const { headers } = head;
    const { serverHeader, serverName } = this.#config;
    if (serverHeader === "overwrite") headers.set("server", serverName);
    else if (serverHeader === "appendIfAbsent" && !headers.has("server")) headers.add("server", serverName);
    if (!headers.has("date")) headers.add("date", httpDate());
    this.#touch();
    this.#chain?.onResponseHead(head, endStream);
    this.#context.stats.countStatus(head.status);
    this.#sender.sendHead(head, endStream);
    if (endStream) this.#finish();
  }

  sendResponseData(chunk: Buffer, endStream: boolean): void {
    if (this.#over) return;
    this.info.bytesSent += chunk.length;
    this.#touch();
    this.#chain?.onResponseData(chunk, endStream);
    this.#sender.sendData(chunk, endStream);
    if (endStream) this.#finish();
  }

  resetStream(): void {
    if (this.#over) return;
    this.#sender.reset("local reset");
    this.#finish();
  }

  // Time

  onDeadline(): void {
    const now = this.#context.sweep.nowMs;
    const { stats } = this.#context;
    if (!this.#requestEnded && this.#requestDeadlineMs <= now) {
      stats.downstream_rq_timeout++;
      this.sendLocalReply({ status: 408, body: "request timeout", details: "request_overall_timeout" });
      return;
    }
    stats.downstream_rq_idle_timeout++;
    const status = this.#requestEnded ? 504 : 408;
    this.sendLocalReply({ status, body: "stream timeout", details: "stream_idle_timeout", flag: "SI" });
  }

  #startTimeouts(): void {
    const { streamIdleTimeoutMs, requestTimeoutMs } = this.#config;
    if (streamIdleTimeoutMs === 0 && requestTimeoutMs === 0) return;
    this.#context.sweep.add(this);
    if (requestTimeoutMs > 0) this.#requestDeadlineMs = this.#context.sweep.nowMs + requestTimeoutMs;
    this.#touch();
  }

  /** Something moved: the idle time begins anew. */
  #touch(): void {
    const { streamIdleTimeoutMs } = this.#config;
    const idle = streamIdleTimeoutMs === 0 ? Number.POSITIVE_INFINITY : this.#context.sweep.nowMs + streamIdleTimeoutMs;
    this.deadlineMs = this.#requestEnded || idle < this.#requestDeadlineMs ? idle : this.#requestDeadlineMs;
  }

  #onRequestEnd(): void {
    this.#requestEnded = true;
    this.info.requestEndMs = this.#context.now();
  }

  // The request's head

  /** @returns false when the path cannot be trusted and the request is answered */
  #normalizePath(head: RequestHead): boolean {
    const path = canonicalPath(head.path, {
      mergeSlashes: this.#config.mergeSlashes,
      escapedSlashes: this.#config.rejectEscapedSlashes ? "reject" : "keep",
    });
    if (path === undefined) {
      this.sendLocalReply({ status: 400, body: "", details: "path_normalization_failed" });
      return false;
    }
    head.path = path;
    return true;
  }

  /** @returns false when a pattern's bound is reached and the request is answered: to go on as if it had not matched could be a way past it */
  #findRoute(routes: RouteTable, head: RequestHead): boolean {
    try {
      this.route = routes.find(head);
      return true;
    } catch (error) {
      if (!(error instanceof MatchTooLong)) throw error;
      this.sendLocalReply({ status: error.status, body: "", details: "route_match_too_long" });
      return false;
    }
  }

  #addHeaders(head: RequestHead): void {
    const { headers } = head;
    const { useRemoteAddress, generateRequestId } = this.#config;
    if (useRemoteAddress) {
      const before = headers.getJoined("x-forwarded-for");
      const { remoteAddress } = this.#connection.info;
      headers.set("x-forwarded-for", before === undefined ? remoteAddress : `${before},${remoteAddress}`);
      headers.set("x-forwarded-proto", head.scheme);
    } else if (!headers.has("x-forwarded-proto")) headers.add("x-forwarded-proto", head.scheme);
    let id = headers.get("x-request-id");
    if (id === undefined && generateRequestId) {
      id = randomUUID();
      headers.add("x-request-id", id);
    }
    this.info.requestId = id ?? "";
  }

  /** A stopped chain keeps what comes: the client must not be read from meanwhile. */
  #holdClient(): void {
    if (this.#over || this.#requestEnded) return;
    if (this.#chain?.stopped === true) this.#sender.pauseReading();
    else this.#sender.resumeReading();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#context.sweep.remove(this);
    this.#router.destroy();
    this.#chain?.destroy();
    this.#config.accessLog?.(this.info);
    this.#context.onStreamEnd(this);
  }
}
