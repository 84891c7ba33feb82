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
  /** Whether the connection ends with this response. */
  closesAfter(stream: Http1ServerStream): boolean;
  onResponseEnd(stream: Http1ServerStream): void;
  onStreamReset(stream: Http1ServerStream): void;
  setReading(reading: boolean): void;
}

/** One request and its response on an HTTP/1.1 connection. */
export class Http1ServerStream implements StreamSender<ResponseHead> {
  receiver: StreamReceiver<RequestHead> | undefined;
  requestComplete = false;
  responseStarted = false;
  responseEnded = false;
  keepAlive = true;
  headRequest = false;
  readonly #owner: StreamOwner;
  #body: MessageBody | undefined;

  constructor(owner: StreamOwner) {
    this.#owner = owner;
  }

  sendHead(head: ResponseHead, endStream: boolean): void {
    if (this.responseStarted || this.responseEnded) return;
    this.responseStarted = true;
    const { status } = head;
    const bodyless = this.headRequest || status === 204 || status === 304;
    const length = head.headers.get("content-length");
    if (endStream && !this.requestComplete) this.keepAlive = false;
    const framing: HeadFraming = {
      chunked: !endStream && length === undefined && !bodyless,
      empty: endStream && length === undefined && !bodyless,
      close: this.#owner.closesAfter(this),
    };
    const { writer } = this.#owner;
    writer.write(serializeResponseHead(status, head.headers.fields, framing));
    this.#body = bodyless ? MessageBody.none(writer) : MessageBody.of(writer, framing.empty ? "0" : length);
    if (endStream) this.sendData(NO_BYTES, true);
  }

  sendData(chunk: Buffer, endStream: boolean): void {
    if (this.responseEnded || this.#body === undefined) return;
    if (!this.#body.write(chunk, endStream)) {
      this.reset("local reset");
      return;
    }
    if (!endStream) return;
    this.responseEnded = true;
    this.#owner.writer.flush();
    this.#owner.onResponseEnd(this);
  }

  sendTrailers(_trailers: HeaderMap): void {
    this.sendData(NO_BYTES, true);
  }

  reset(_reason: ResetReason): void {
    if (this.responseEnded) return;
    this.responseEnded = true;
    this.receiver = undefined;
    this.#owner.onStreamReset(this);
  }

  pauseReading(): void {
    if (!this.requestComplete) this.#owner.setReading(false);
  }

  resumeReading(): void {
    if (!this.requestComplete) this.#owner.setReading(true);
  }
}
