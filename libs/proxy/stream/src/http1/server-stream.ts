import { type HeadFraming, serializeResponseHead } from "@fairlead/codec-http1";
import type { HeaderMap } from "../header-map.ts";
import type { RequestHead, ResponseHead } from "../message.ts";
import type { ResetReason } from "../reset-reason.ts";
import type { SocketWriter } from "../socket-writer.ts";
import type { StreamReceiver, StreamSender } from "../stream.ts";
import { MessageBody, NO_BYTES } from "./message-body.ts";

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly writer: SocketWriter;
  /** The body of a message in chunks may be followed by trailers. */
  readonly sendsTrailers: boolean;
  writeHead(text: string): void;
  /** Whether the connection ends with this response. */
  closesAfter(stream: Http1ServerStream): boolean;
  onResponseEnd(stream: Http1ServerStream): void;
  onStreamReset(stream: Http1ServerStream): void;
  /** The halves of the connection end on their own from now on. */
  onTunnel(): void;
  onTunnelRefused(): void;
  setFlushTimeout(ms: number): void;
  setReading(reading: boolean): void;
}

export const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** One request and its response on an HTTP/1.1 connection. */
export class Http1ServerStream implements StreamSender<ResponseHead> {
  receiver: StreamReceiver<RequestHead> | undefined;
  requestComplete = false;
  responseStarted = false;
  responseEnded = false;
  keepAlive = true;
  headRequest = false;
  /** Neither chunks nor another request after this response. */
  http10 = false;
  /** The client waits with its body, and the host is to say whether it wants it. */
  expectsContinue = false;
  /** What the client wants to go on with. */
  upgrade: string | undefined;
  /** What follows the head is part of the stream, as it is. */
  tunnel = false;
  /** Something followed the head before the response. */
  #early = false;
  readonly #owner: StreamOwner;
  #body: MessageBody | undefined;

  constructor(owner: StreamOwner) {
    this.#owner = owner;
  }

  sendHead(head: ResponseHead, endStream: boolean): void {
    if (this.responseStarted || this.responseEnded) return;
    this.responseStarted = true;
    const { status } = head;
    if (this.tunnel && this.#startTunnel(head)) return;
    const bodyless = this.headRequest || status === 204 || status === 304;
    const length = head.headers.get("content-length");
    if (this.http10 && !endStream && length === undefined && !bodyless) {
      this.#startUntilClose(head);
      return;
    }
    if (endStream && !this.requestComplete) this.keepAlive = false;
    const framing: HeadFraming = {
      chunked: !endStream && length === undefined && !bodyless,
      empty: endStream && length === undefined && !bodyless,
      close: this.#owner.closesAfter(this),
    };
    const { writer } = this.#owner;
    this.#owner.writeHead(serializeResponseHead(status, head.headers.fields, framing));
    this.#body = bodyless ? MessageBody.none(writer) : MessageBody.of(writer, framing.empty ? "0" : length);
    if (endStream) this.sendData(NO_BYTES, true);
  }

  /** @returns false when the response does not agree to the upgrade: it is one like others */
  #startTunnel({ status, headers }: ResponseHead): boolean {
    const connect = this.upgrade === "connect";
    if (connect ? status < 200 || status > 299 : status !== 101) {
      this.tunnel = false;
      this.requestComplete = true;
      // What came before the answer was for another protocol: nothing that follows may be taken for a request.
      if (this.#early) this.keepAlive = false;
      this.#owner.onTunnelRefused();
      return false;
    }
    const { writer } = this.#owner;
    const framing = { chunked: false, empty: false, close: false, upgrade: this.upgrade };
    headers.remove("content-length");
    this.#owner.writeHead(serializeResponseHead(status, headers.fields, framing));
    this.#body = MessageBody.raw(writer);
    return true;
  }

  /** HTTP/1.0 has no chunks: a body whose length is not known ends with the connection. */
  #startUntilClose({ status, headers }: ResponseHead): void {
    const { writer } = this.#owner;
    this.keepAlive = false;
    this.#owner.writeHead(serializeResponseHead(status, headers.fields, { chunked: false, empty: false, close: true }));
    this.#body = MessageBody.raw(writer);
  }

  openTunnel(): void {
    this.tunnel = true;
    this.requestComplete = false;
    this.#owner.onTunnel();
  }

  onTunnelBytes(chunk: Buffer): void {
    if (!this.responseStarted) this.#early = true;
    this.receiver?.onData(chunk, false);
  }

  onTunnelEnd(): void {
    this.requestComplete = true;
    this.receiver?.onData(NO_BYTES, true);
  }

  sendData(chunk: Buffer, endStream: boolean, unshared = false): void {
    if (this.responseEnded || this.#body === undefined) return;
    if (!this.#body.write(chunk, endStream, unshared)) {
      this.reset("local reset");
      return;
    }
    if (endStream) this.#end();
  }

  #end(): void {
    this.responseEnded = true;
    this.#owner.writer.flush();
    this.#owner.onResponseEnd(this);
  }

  sendTrailers(trailers: HeaderMap): void {
    if (this.responseEnded || this.#body === undefined) return;
    const owner = this.#owner;
    if (owner.sendsTrailers && this.#body.writeTrailers(trailers, (text) => owner.writeHead(text))) this.#end();
    else this.sendData(NO_BYTES, true);
  }

  sendContinue(): void {
    if (!this.expectsContinue || this.responseStarted || this.responseEnded) return;
    this.expectsContinue = false;
    this.#owner.writer.write(CONTINUE);
  }

  reset(_reason: ResetReason): void {
    if (this.responseEnded) return;
    this.responseEnded = true;
    this.receiver = undefined;
    this.#owner.onStreamReset(this);
  }

  setFlushTimeout(ms: number): void {
    this.#owner.setFlushTimeout(ms);
  }

  pauseReading(): void {
    if (!this.requestComplete) this.#owner.setReading(false);
  }

  resumeReading(): void {
    if (!this.requestComplete) this.#owner.setReading(true);
  }
}
