import { Http2Connection } from "./connection.ts";
import { ENDED, FORGOTTEN, RESET_BY_PEER } from "./closed-streams.ts";
import type { Http2ConnectionOptions } from "./connection-options.ts";
import { CLIENT_PREFACE, ERROR_CODE, LARGEST_STREAM_ID } from "./frame-types.ts";
import type { HeaderCollector } from "./header-collector.ts";
import { Http2Error, protocolError } from "./http2-error.ts";
import type { Http2RequestHead } from "./message-head.ts";
import { SETTING } from "./settings.ts";
import type { Http2Stream, StreamSink } from "./stream.ts";

export type Http2ServerStream = Http2Stream<Http2RequestHead>;

export interface Http2ServerEvents {
  /** A request begins. @returns who gets it */
  onStream(stream: Http2ServerStream): StreamSink<Http2RequestHead>;
  /** A request was answered here: it never became a stream. */
  onRefused(status: number): void;
}

const DRAIN_PING = Buffer.from("fl-drain", "latin1");

/** The server's end of a connection. */
export class Http2ServerConnection extends Http2Connection<Http2RequestHead> {
  readonly #events: Http2ServerEvents;
  #prefaceBytes = 0;
  #lastStreamId = 0;
  /** Streams above this one are not served any more. */
  #lastServedId = LARGEST_STREAM_ID;
  #draining = false;

  constructor(events: Http2ServerEvents, options: Http2ConnectionOptions) {
    super(options);
    this.#events = events;
    this.start([
      SETTING.maxConcurrentStreams, options.maxConcurrentStreams,
      SETTING.initialWindowSize, options.streamWindowBytes,
      SETTING.maxHeaderListSize, options.maxHeadBytes,
      ...(options.allowConnect ? [SETTING.enableConnectProtocol, 1] : []),
    ]); // prettier-ignore
  }

  /** The client has said what it speaks. */
  get prefaceComplete(): boolean {
    return this.#prefaceBytes === CLIENT_PREFACE.length;
  }

  /** True once no stream can begin any more: when none is open, the connection has nothing left to do. */
  get drained(): boolean {
    return this.#lastServedId !== LARGEST_STREAM_ID;
  }

  override receive(chunk: Buffer, start = 0): void {
    let at = start;
    for (; !this.prefaceComplete && at < chunk.length; at++) {
      if (chunk[at] !== CLIENT_PREFACE[this.#prefaceBytes]) {
        this.end(ERROR_CODE.protocolError, "no HTTP/2 preface");
        throw protocolError("the connection does not begin as HTTP/2 does");
      }
      this.#prefaceBytes++;
    }
    super.receive(chunk, at);
  }

  /**
   * No more streams, without losing one that is on its way (RFC 9113 §6.8): first a GOAWAY that refuses none and a PING; once the
   * client has answered it, it knows, and a second GOAWAY names the last stream. One that does not answer is not waited for: `finishDrain`.
   */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.sendGoAway(LARGEST_STREAM_ID, ERROR_CODE.noError, "");
    this.outbound.ping(DRAIN_PING, false);
  }

  protected override get lastPeerStreamId(): number {
    return this.#lastStreamId;
  }

  sendHead(
    stream: Http2ServerStream,
    status: number,
    headers: readonly string[],
    neverIndexed: readonly string[] | undefined,
    endStream: boolean,
  ): void {
    if (stream.closed || stream.localEnded || stream.headSent) return;
    stream.headSent = true;
    this.outbound.headers(stream.id, [":status", String(status)], headers, neverIndexed, endStream);
    if (endStream) this.endLocal(stream);
  }

  sendContinue(stream: Http2ServerStream): void {
    if (!stream.closed && !stream.headSent) this.outbound.headers(stream.id, [":status", "100"], [], undefined, false);
  }

  protected override isIdle(streamId: number): boolean {
    return streamId > this.#lastStreamId || streamId % 2 === 0;
  }

  protected override onHeaders(streamId: number, endStream: boolean, headers: HeaderCollector): void {
    const stream = this.streams.get(streamId);
    if (stream !== undefined) {
      this.onTrailers(stream, endStream, headers);
      return;
    }
    if (streamId % 2 === 0) throw protocolError("a stream of a client with an even id");
    if (streamId <= this.#lastStreamId) {
      const how = this.closedStreams.howOf(streamId);
      if (how === ENDED || how === RESET_BY_PEER)
        throw new Http2Error(ERROR_CODE.streamClosed, "HEADERS on a closed stream");
      if (how === FORGOTTEN) throw protocolError("a stream id below the one before");
      return;
    }
    this.#lastStreamId = streamId;
    this.#onRequest(streamId, endStream, headers);
  }

  #onRequest(streamId: number, endStream: boolean, headers: HeaderCollector): void {
    const { stats, maxConcurrentStreams, allowConnect } = this.options;
    if (streamId > this.#lastServedId || this.streams.size >= maxConcurrentStreams) {
      stats.stream_refused_errors++;
      this.refuseStream(streamId, ERROR_CODE.refusedStream);
      return;
    }
    if (headers.tooLarge) {
      this.#refuse(streamId, endStream, 431);
      return;
    }
    const head = headers.error === undefined ? headers.takeRequest(allowConnect) : undefined;
    if (head === undefined || (endStream && headers.contentLength > 0)) {
      this.malformed(undefined, headers.error ?? "a head that is none");
      stats.rx_messaging_error++;
      this.refuseStream(streamId, ERROR_CODE.protocolError);
      return;
    }
    if (head.method === "CONNECT" && !allowConnect) {
      this.#refuse(streamId, endStream, 403);
      return;
    }
    const stream = this.newStream();
    stream.id = streamId;
    stream.headReceived = true;
    stream.remoteEnded = endStream;
    stream.remainingBytes = headers.contentLength;
    this.addStream(stream);
    const sink = this.#events.onStream(stream);
    if (stream.closed) return;
    stream.sink = sink;
    const expects = head.expectContinue && !endStream;
    const passes = expects && this.options.passContinue === true;
    if (passes) head.headers.push("expect", "100-continue");
    sink.onHead(head, endStream);
    if (expects && !passes) this.sendContinue(stream);
  }

  /** An answer without a stream: neither the head nor the body is of interest to anyone. */
  #refuse(streamId: number, endStream: boolean, status: number): void {
    this.#events.onRefused(status);
    this.outbound.headers(streamId, [":status", String(status)], ["content-length", "0"], undefined, true);
    if (endStream) this.closedStreams.add(streamId, ENDED);
    else this.refuseStream(streamId, ERROR_CODE.noError);
  }

  /** RFC 9113 §8.1: the client need not send the rest of a request that is answered. */
  protected override onLocalEndFirst(stream: Http2ServerStream): void {
    if (!stream.tunnel) this.resetStream(stream, ERROR_CODE.noError);
  }

  protected override onResetByPeer(openedMs: number, headSent: boolean): void {
    this.guard.onPeerReset(openedMs, headSent);
  }

  protected override onPingAck(opaque: Buffer): void {
    if (opaque.equals(DRAIN_PING)) this.finishDrain();
  }

  /** The client has had its time to learn of the drain: the second GOAWAY. */
  finishDrain(): void {
    if (!this.#draining || this.drained) return;
    this.#lastServedId = this.#lastStreamId;
    this.sendGoAway(this.#lastServedId, ERROR_CODE.noError, "");
  }

  override onGoAway(): void {
    // The client begins no more streams; those that are open go on.
  }

  protected override onPeerSettings(): void {
    // Nothing here depends on more than the windows and the table.
  }
}
