import { serializeRequestHead } from "@fairlead/codec-http1";
import type { HeaderMap } from "../header-map.ts";
import type { RequestHead, ResponseHead } from "../message.ts";
import type { ResetReason } from "../reset-reason.ts";
import type { SocketWriter } from "../socket-writer.ts";
import type { StreamReceiver, StreamSender } from "../stream.ts";
import { MessageBody, NO_BYTES } from "./message-body.ts";
import { addWebSocketKey } from "../websocket-handshake.ts";
import { RequestedTunnel } from "./requested-tunnel.ts";

/** What a stream needs of its connection. */
export interface ClientStreamOwner {
  readonly writer: SocketWriter;
  /** The body of a message in chunks may be followed by trailers. */
  readonly sendsTrailers: boolean;
  writeHead(text: string): void;
  /** The parser must know the method before the response comes. */
  onRequestHead(method: string, upgrade?: string): void;
  /** The halves of the connection end on their own from now on. */
  onTunnel(): void;
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
  /** What was asked to become of the connection. */
  tunnel: RequestedTunnel | undefined;
  readonly #owner: ClientStreamOwner;
  #body: MessageBody | undefined;

  constructor(owner: ClientStreamOwner, receiver: StreamReceiver<ResponseHead>) {
    this.#owner = owner;
    this.receiver = receiver;
  }

  sendHead(head: RequestHead, endStream: boolean): void {
    if (this.#body !== undefined || this.requestEnded) return;
    if (head.upgrade !== undefined && !endStream) {
      this.#askForTunnel(head, head.upgrade);
      return;
    }
    const length = head.headers.get("content-length");
    const { method } = head;
    // A method that gives a body meaning says so also when there is none (RFC 9110 §8.6).
    const empty = endStream && length === undefined && (method === "POST" || method === "PUT" || method === "PATCH");
    const { writer } = this.#owner;
    this.#owner.onRequestHead(method);
    this.#owner.writeHead(
      serializeRequestHead(method, head.path, head.authority, head.headers.fields, {
        chunked: !endStream && length === undefined,
        empty,
        close: false,
      }),
    );
    this.#body = endStream && length === undefined ? MessageBody.none(writer) : MessageBody.of(writer, length);
    if (endStream) this.sendData(NO_BYTES, true);
  }

  #askForTunnel(head: RequestHead, upgrade: string): void {
    const { writer } = this.#owner;
    this.tunnel = new RequestedTunnel();
    this.#owner.onRequestHead(head.method, upgrade);
    addWebSocketKey(head, upgrade);
    this.#owner.writeHead(
      serializeRequestHead(head.method, head.path, head.authority, head.headers.fields, {
        chunked: false,
        empty: false,
        close: false,
        upgrade,
      }),
    );
    writer.flush();
  }

  /** The host has answered. @param agreed else it is a response like others, and all of the request has been sent */
  onTunnelAnswer(agreed: boolean): void {
    const tunnel = this.tunnel;
    if (tunnel === undefined) return;
    if (!agreed) {
      this.tunnel = undefined;
      this.requestEnded = true;
      return;
    }
    this.#body = MessageBody.raw(this.#owner.writer);
    this.#owner.onTunnel();
    for (const chunk of tunnel.take()) this.sendData(chunk, false);
    if (tunnel.ended) this.sendData(NO_BYTES, true);
    if (tunnel.blocked) this.receiver?.onWritable();
  }

  sendData(chunk: Buffer, endStream: boolean, unshared = false): void {
    if (this.requestEnded) return;
    if (this.#body === undefined) {
      if (this.tunnel?.hold(chunk, endStream) === true) this.receiver?.onWriteBlocked();
      return;
    }
    if (!this.#body.write(chunk, endStream, unshared)) {
      const receiver = this.receiver;
      this.reset("local reset");
      receiver?.onReset("local reset", "the body does not have the length that its head says");
      return;
    }
    if (endStream) this.#end();
  }

  sendTrailers(trailers: HeaderMap): void {
    if (this.requestEnded) return;
    const owner = this.#owner;
    if (owner.sendsTrailers && this.#body?.writeTrailers(trailers, (text) => owner.writeHead(text)) === true)
      this.#end();
    else this.sendData(NO_BYTES, true);
  }

  #end(): void {
    this.requestEnded = true;
    this.#owner.writer.flush();
    this.#owner.onRequestEnd(this);
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
