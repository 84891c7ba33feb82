import type { Member } from "@fairlead/buffer";
import type {
  Http2RequestHead,
  Http2ServerConnection,
  Http2ServerStream,
  StreamReset,
  StreamSink,
} from "@fairlead/codec-http2";
import { HeaderMap } from "../header-map.ts";
import type { RequestHead, ResponseHead } from "../message.ts";
import { tellLoan } from "../read-loan.ts";
import type { ResetReason } from "../reset-reason.ts";
import type { StreamReceiver, StreamSender } from "../stream.ts";
import type { FlushWatch } from "./flush-watch.ts";
import { reasonOf, serverResetCode } from "./stream-reset.ts";

const NO_BYTES = Buffer.alloc(0);

/** What a stream needs of its connection. */
export interface RequestStreamOwner {
  onStreamClosed(stream: Http2RequestStream): void;
  /** Watches a complete response that waits for its client. @returns undefined where that may take any time */
  watchFlush(stream: Http2ServerStream, timeoutMs: number | undefined): FlushWatch | undefined;
}

/** One request of a client, between its receiver and the codec. */
export class Http2RequestStream implements StreamSender<ResponseHead>, StreamSink<Http2RequestHead>, Member {
  place = -1;
  receiver: StreamReceiver<RequestHead> | undefined;
  readonly #codec: Http2ServerConnection;
  readonly #stream: Http2ServerStream;
  readonly #owner: RequestStreamOwner;
  #flush: FlushWatch | undefined;
  /** Few streams have one: the others do not pay for it. */
  declare flushTimeoutMs?: number;
  #headRequest = false;
  /** What the client wants the stream to become. */
  #upgrade: string | undefined;
  #hasKey = false;
  /** The client waits with its body, and the host is to say whether it wants it. */
  #expectsContinue = false;
  /** A response that has no body, whatever is sent as such (RFC 9110 §6.4.1). */
  #bodyless = false;

  constructor(codec: Http2ServerConnection, stream: Http2ServerStream, owner: RequestStreamOwner) {
    this.#codec = codec;
    this.#stream = stream;
    this.#owner = owner;
  }

  // From the codec

  onHead(head: Http2RequestHead, endStream: boolean): void {
    this.#headRequest = head.method === "HEAD";
    // The codec leaves it to us where it leaves the header.
    this.#expectsContinue = head.expectContinue && head.headers.at(-2) === "expect";
    if (head.method === "CONNECT") {
      this.#onConnect(head);
      return;
    }
    this.receiver?.onHead(
      {
        method: head.method,
        path: head.path,
        authority: head.authority,
        scheme: head.scheme,
        headers: new HeaderMap(head.headers, head.neverIndexed),
        upgrade: undefined,
      },
      endStream,
    );
  }

  /** An extended one is the upgrade of HTTP/1.1 that it stands for (RFC 8441 §5). */
  #onConnect({ path, authority, scheme, protocol, headers: fields, neverIndexed }: Http2RequestHead): void {
    const headers = new HeaderMap(fields, neverIndexed);
    this.#upgrade = protocol === undefined ? "connect" : protocol.toLowerCase();
    this.#hasKey = headers.has("sec-websocket-key");
    const method = protocol === undefined ? "CONNECT" : "GET";
    this.receiver?.onHead({ method, path, authority, scheme, headers, upgrade: this.#upgrade }, false);
  }

  onData(slice: Buffer, endStream: boolean): void {
    this.receiver?.onData(slice, endStream);
  }

  onTrailers(headers: string[], neverIndexed: readonly string[] | undefined): void {
    this.receiver?.onTrailers(new HeaderMap(headers, neverIndexed));
  }

  onReset(reset: StreamReset): void {
    this.#tell(reasonOf(reset), reset.details);
  }

  onWriteBlocked(): void {
    this.receiver?.onWriteBlocked();
  }

  onWritable(): void {
    this.receiver?.onWritable();
  }

  onClosed(): void {
    this.receiver = undefined;
    this.#flush?.end();
    this.#owner.onStreamClosed(this);
  }

  /** The connection is gone. */
  onConnectionLost(details: string): void {
    this.#tell("connection termination", details);
  }

  // From the receiver

  sendHead(head: ResponseHead, endStream: boolean): void {
    const { headers } = head;
    const status = this.#upgrade === undefined ? head.status : this.#answerConnect(head);
    this.#bodyless = this.#headRequest || status === 204 || status === 304;
    this.#codec.sendHead(this.#stream, status, headers.fields, headers.neverIndexed, endStream);
  }

  /** @returns the status that it has in HTTP/2 */
  #answerConnect({ status, headers }: ResponseHead): number {
    const agreed = this.#upgrade === "connect" ? status >= 200 && status < 300 : status === 101;
    if (!agreed) return status;
    this.#stream.tunnel = true;
    headers.remove("content-length");
    if (!this.#hasKey) headers.remove("sec-websocket-accept");
    return status === 101 ? 200 : status;
  }

  sendContinue(): void {
    if (!this.#expectsContinue) return;
    this.#expectsContinue = false;
    this.#codec.sendContinue(this.#stream);
  }

  sendData(chunk: Buffer, endStream: boolean, unshared = false): void {
    if (!this.#bodyless) {
      const free = this.#codec.sendData(this.#stream, chunk, endStream);
      tellLoan(chunk, free, unshared);
    } else if (endStream) this.#codec.sendData(this.#stream, NO_BYTES, true);
    if (endStream && this.#stream.queue.length > 0)
      this.#flush = this.#owner.watchFlush(this.#stream, this.flushTimeoutMs);
  }

  sendTrailers(trailers: HeaderMap): void {
    this.#codec.sendTrailers(this.#stream, trailers.fields, trailers.neverIndexed);
    if (this.#stream.queue.length > 0) this.#flush = this.#owner.watchFlush(this.#stream, this.flushTimeoutMs);
  }

  reset(reason: ResetReason): void {
    this.receiver = undefined;
    this.#codec.resetStream(this.#stream, serverResetCode(reason));
  }

  setFlushTimeout(ms: number): void {
    this.flushTimeoutMs = ms;
  }

  pauseReading(): void {
    this.#codec.setReading(this.#stream, false);
  }

  resumeReading(): void {
    this.#codec.setReading(this.#stream, true);
  }

  #tell(reason: ResetReason, details: string): void {
    const { receiver } = this;
    this.receiver = undefined;
    receiver?.onReset(reason, details);
  }
}
