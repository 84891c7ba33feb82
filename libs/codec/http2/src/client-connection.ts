import { Http2Connection } from "./connection.ts";
import { ENDED, FORGOTTEN, RESET_BY_PEER } from "./closed-streams.ts";
import type { Http2ConnectionOptions } from "./connection-options.ts";
import { CLIENT_PREFACE, ERROR_CODE, errorName, LARGEST_STREAM_ID } from "./frame-types.ts";
import type { HeaderCollector } from "./header-collector.ts";
import { Http2Error, protocolError } from "./http2-error.ts";
import type { Http2ResponseHead } from "./message-head.ts";
import { SETTING } from "./settings.ts";
import type { Http2Stream, StreamReset, StreamSink } from "./stream.ts";

export type Http2ClientStream = Http2Stream<Http2ResponseHead>;

export interface Http2ClientEvents {
  /** The server takes no more streams; those that it has go on. */
  onGoAway(): void;
  /** The server has said how many streams it takes. */
  onSettings(): void;
}

/** What a request begins with. */
export interface Http2RequestLine {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly scheme: string;
  /** Of an extended CONNECT (RFC 8441). @default undefined */
  readonly protocol?: string | undefined;
}

/** A server may send any number of 1xx before its response; more than this is an attack. */
const MAX_INTERIM_RESPONSES = 16;
/** Until its SETTINGS have come, a server is taken to allow what the RFC says it should at least. */
const ASSUMED_STREAMS = 100;

/** The client's end of a connection. */
export class Http2ClientConnection extends Http2Connection<Http2ResponseHead> {
  readonly #events: Http2ClientEvents;
  #nextStreamId = 1;
  #goingAway = false;
  #settled = false;
  readonly #interim = new WeakMap<Http2ClientStream, number>();

  constructor(events: Http2ClientEvents, options: Http2ConnectionOptions) {
    super(options);
    this.#events = events;
    const { writer } = this.outbound;
    const at = writer.reserve(CLIENT_PREFACE.length);
    writer.buffer.set(CLIENT_PREFACE, at);
    writer.commit(at + CLIENT_PREFACE.length);
    this.start([
      SETTING.enablePush, 0,
      SETTING.initialWindowSize, options.streamWindowBytes,
      SETTING.maxHeaderListSize, options.maxHeadBytes,
    ]); // prettier-ignore
  }

  /** Streams that may be open together; 0 when no more may begin. */
  get maxConcurrentStreams(): number {
    if (this.#goingAway || this.#nextStreamId > LARGEST_STREAM_ID) return 0;
    return this.#settled ? this.peerSettings.maxConcurrentStreams : ASSUMED_STREAMS;
  }

  /** Whether the server takes extended CONNECT; undefined while it has not said. */
  get connectProtocolEnabled(): boolean | undefined {
    return this.#settled ? this.peerSettings.connectProtocolEnabled : undefined;
  }

  /** A stream without id: it gets one with its head, as the order of ids is that of the heads. */
  openStream(sink: StreamSink<Http2ResponseHead>): Http2ClientStream {
    const stream = this.newStream();
    stream.sink = sink;
    return stream;
  }

  sendHead(
    stream: Http2ClientStream,
    request: Http2RequestLine,
    headers: readonly string[],
    neverIndexed: readonly string[] | undefined,
    endStream: boolean,
  ): void {
    if (stream.closed || stream.headSent) return;
    stream.id = this.#nextStreamId;
    this.#nextStreamId += 2;
    stream.headSent = true;
    stream.headRequest = request.method === "HEAD";
    stream.sendWindow = this.peerSettings.initialWindowBytes;
    this.addStream(stream);
    const { method, path, authority, scheme, protocol } = request;
    const pseudo =
      protocol !== undefined
        ? [":method", method, ":protocol", protocol, ":scheme", scheme, ":authority", authority, ":path", path]
        : method === "CONNECT"
          ? [":method", method, ":authority", authority]
          : [":method", method, ":scheme", scheme, ":authority", authority, ":path", path];
    this.outbound.headers(stream.id, pseudo, headers, neverIndexed, endStream);
    if (endStream) this.endLocal(stream);
  }

  protected override get lastPeerStreamId(): number {
    return 0;
  }

  /** Streams of servers do not exist: push is off. */
  protected override isIdle(streamId: number): boolean {
    return streamId >= this.#nextStreamId || streamId % 2 === 0;
  }

  protected override onHeaders(streamId: number, endStream: boolean, headers: HeaderCollector): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) this.#onHeadersWithoutStream(streamId);
    else if (stream.headReceived) this.onTrailers(stream, endStream, headers);
    else this.#onResponse(stream, endStream, headers);
  }

  #onHeadersWithoutStream(streamId: number): void {
    if (this.isIdle(streamId)) throw protocolError("HEADERS on an idle stream");
    const how = this.closedStreams.howOf(streamId);
    if (how === ENDED || how === RESET_BY_PEER)
      throw new Http2Error(ERROR_CODE.streamClosed, "HEADERS on a closed stream");
    if (how === FORGOTTEN) this.refuseStream(streamId, ERROR_CODE.streamClosed);
  }

  #onResponse(stream: Http2ClientStream, endStream: boolean, headers: HeaderCollector): void {
    if (headers.tooLarge) {
      this.streamError(stream, ERROR_CODE.internalError, "the response's head is too large", "limit");
      return;
    }
    const head = headers.error === undefined ? headers.takeResponse() : undefined;
    if (head === undefined) {
      this.malformed(stream, headers.error ?? "");
      return;
    }
    const { status } = head;
    if (status < 200) {
      this.#onInterim(stream, status, endStream);
      return;
    }
    const bodyless = stream.headRequest || status === 204 || status === 304;
    if (endStream && headers.contentLength > 0 && !bodyless) {
      this.malformed(stream, "the body does not have the length that its head says");
      return;
    }
    stream.headReceived = true;
    stream.remoteEnded = endStream;
    stream.remainingBytes = bodyless ? 0 : headers.contentLength;
    stream.sink?.onHead(head, endStream);
    if (endStream) this.remoteEnd(stream);
  }

  #onInterim(stream: Http2ClientStream, status: number, endStream: boolean): void {
    const count = (this.#interim.get(stream) ?? 0) + 1;
    this.#interim.set(stream, count);
    if (endStream || status === 101) {
      this.malformed(stream, `a ${status} that ends the stream, or switches protocols`);
    } else if (count > MAX_INTERIM_RESPONSES) {
      this.streamError(stream, ERROR_CODE.enhanceYourCalm, `more than ${MAX_INTERIM_RESPONSES} interim responses`);
    } else stream.sink?.onInterim?.(status);
  }

  /** A response may end before its request: who sends it decides whether it goes on. */
  protected override onLocalEndFirst(): void {}

  /** After a whole response only the rest of the request is refused (RFC 9113 §8.1): nothing has failed. */
  protected override failStream(stream: Http2ClientStream, reset: StreamReset): void {
    if (stream.remoteEnded) this.closeStream(stream, RESET_BY_PEER);
    else super.failStream(stream, reset);
  }

  protected override onResetByPeer(): void {
    // A server resets streams of ours: that is no attack.
  }

  protected override onPingAck(): void {}

  protected override onPeerSettings(): void {
    this.#settled = true;
    this.#events.onSettings();
  }

  /** Streams above the last one were not begun with: they may be sent again elsewhere (RFC 9113 §6.8). */
  override onGoAway(lastStreamId: number, errorCode: number, text: string): void {
    this.#goingAway = true;
    const details = `GOAWAY ${errorName(errorCode)}${text === "" ? "" : `: ${text}`}`;
    for (const stream of this.streams.all()) {
      if (stream.id > lastStreamId) this.failStream(stream, { errorCode, by: "unprocessed", details });
    }
    this.#events.onGoAway();
  }
}
