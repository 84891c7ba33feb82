import { serializeRequestHead } from "@fairlead/codec-http1";
import type { HeaderMap } from "../header-map.ts";
import type { RequestHead, ResponseHead } from "../message.ts";
import type { ResetReason } from "../reset-reason.ts";
import type { SocketWriter } from "../socket-writer.ts";
import type { StreamReceiver, StreamSender } from "../stream.ts";
import { MessageBody, NO_BYTES } from "./message-body.ts";

/** What a stream needs of its connection. */
export interface ClientStreamOwner {
  readonly writer: SocketWriter;
  /** The parser must know the method before the response comes. */
  onRequestHead(method: string): void;
  onRequestEnd(stream: Http1ClientStream): void;
  onStreamReset(stream: Http1ClientStream): void;
  setReading(reading: boolean): void;
}

/** One request of ours and its response on an HTTP/1.1 connection. */
export class Http1ClientStream implements StreamSender<RequestHead> {
  receiver: StreamReceiver<ResponseHead> | undefined;
  requestEnded = false;
  responseEnded = false;
  /** False from the response that does not allow it. */
  keepAlive = true;
  readonly #owner: ClientStreamOwner;
  #body: MessageBody | undefined;

  constructor(owner: ClientStreamOwner, receiver: StreamReceiver<ResponseHead>) {
    this.#owner = owner;
    this.receiver = receiver;
  }

  sendHead(head: RequestHead, endStream: boolean): void {
    if (this.#body !== undefined || this.requestEnded) return;
    const length = head.headers.get("content-length");
    const { method } = head;
    // A method that gives a body meaning says so also when there is none (RFC 9110 §8.6).
    const empty = endStream && length === undefined && (method === "POST" || method === "PUT" || method === "PATCH");
    const { writer } = this.#owner;
    this.#owner.onRequestHead(method);
    writer.write(
      serializeRequestHead(method, head.path, head.authority, head.headers.fields, {
        chunked: !endStream && length === undefined,
        empty,
        close: false,
      }),
    );
    this.#body = endStream && length === undefined ? MessageBody.none(writer) : MessageBody.of(writer, length);
    if (endStream) this.sendData(NO_BYTES, true);
  }

  sendData(chunk: Buffer, endStream: boolean): void {
    if (this.requestEnded || this.#body === undefined) return;
    if (!this.#body.write(chunk, endStream)) {
      const receiver = this.receiver;
      this.reset("local reset");
      receiver?.onReset("local reset", "the body does not have the length that its head says");
      return;
    }
    if (!endStream) return;
    this.requestEnded = true;
    this.#owner.writer.flush();
    this.#owner.onRequestEnd(this);
  }

  sendTrailers(_trailers: HeaderMap): void {
    this.sendData(NO_BYTES, true);
  }

  reset(_reason: ResetReason): void {
    if (this.requestEnded && this.responseEnded) return;
    this.requestEnded = true;
    this.responseEnded = true;
    this.receiver = undefined;
    this.#owner.onStreamReset(this);
  }

  pauseReading(): void {
    if (!this.responseEnded) this.#owner.setReading(false);
  }

  resumeReading(): void {
    if (!this.responseEnded) this.#owner.setReading(true);
  }
}
