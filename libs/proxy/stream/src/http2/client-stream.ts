import type { Member } from "@fairlead/buffer";
import type {
  Http2ClientConnection,
  Http2ClientStream,
  Http2ResponseHead,
  StreamReset,
  StreamSink,
} from "@fairlead/codec-http2";
import { HeaderMap } from "../header-map.ts";
import type { RequestHead, ResponseHead } from "../message.ts";
import { tellLoan } from "../read-loan.ts";
import type { ResetReason } from "../reset-reason.ts";
import type { StreamReceiver, StreamSender } from "../stream.ts";
import { addWebSocketAccept } from "../websocket-handshake.ts";
import { clientResetCode, reasonOf } from "./stream-reset.ts";

/** One request of ours, between who sends it and the codec. */
export class Http2ResponseStream implements StreamSender<RequestHead>, StreamSink<Http2ResponseHead>, Member {
  place = -1;
  receiver: StreamReceiver<ResponseHead> | undefined;
  readonly #codec: Http2ClientConnection;
  readonly #stream: Http2ClientStream;
  /** What was asked to become of the stream. */
  #upgrade: string | undefined;
  #webSocketKey: string | undefined;
  readonly #onClosed: (stream: Http2ResponseStream) => void;

  constructor(
    codec: Http2ClientConnection,
    receiver: StreamReceiver<ResponseHead>,
    onClosed: (stream: Http2ResponseStream) => void,
  ) {
    this.#codec = codec;
    this.receiver = receiver;
    this.#onClosed = onClosed;
    this.#stream = codec.openStream(this);
  }

  // From the codec

  onHead(head: Http2ResponseHead, endStream: boolean): void {
    const receiver = this.#receiverOf(endStream);
    const headers = new HeaderMap(head.headers, head.neverIndexed);
    const status = this.#upgrade === undefined ? head.status : this.#answered(head.status, headers);
    receiver?.onHead({ status, headers }, endStream);
  }

  onInterim(status: number): void {
    if (status === 100) this.receiver?.onContinue?.();
  }

  onData(slice: Buffer, endStream: boolean): void {
    this.#receiverOf(endStream)?.onData(slice, endStream);
  }

  onTrailers(headers: string[], neverIndexed: readonly string[] | undefined): void {
    this.#receiverOf(true)?.onTrailers(new HeaderMap(headers, neverIndexed));
  }

  onReset(reset: StreamReset): void {
    this.tellReset(reasonOf(reset), reset.details);
  }

  onWriteBlocked(): void {
    this.receiver?.onWriteBlocked();
  }

  onWritable(): void {
    this.receiver?.onWritable();
  }

  onClosed(): void {
    this.receiver = undefined;
    this.#onClosed(this);
  }

  /** After the end of its response it is told nothing more, a reset for the rest of its request neither. */
  #receiverOf(endStream: boolean): StreamReceiver<ResponseHead> | undefined {
    const { receiver } = this;
    if (endStream) this.receiver = undefined;
    return receiver;
  }

  tellReset(reason: ResetReason, details: string): void {
    const { receiver } = this;
    this.receiver = undefined;
    receiver?.onReset(reason, details);
  }

  // From who sends

  sendHead(head: RequestHead, endStream: boolean): void {
    const { headers, upgrade } = head;
    if (upgrade !== undefined && !endStream) {
      this.#connect(head, upgrade);
      return;
    }
    this.#codec.sendHead(this.#stream, head, headers.fields, headers.neverIndexed, endStream);
  }

  #connect(head: RequestHead, upgrade: string): void {
    const { authority, headers } = head;
    this.#upgrade = upgrade;
    if (upgrade !== "connect" && this.#codec.connectProtocolEnabled === false) {
      const { receiver } = this;
      this.reset("local reset");
      receiver?.onReset("local reset", "the host does not take extended CONNECT");
      return;
    }
    this.#webSocketKey = headers.get("sec-websocket-key");
    const line =
      upgrade === "connect"
        ? { method: "CONNECT", path: "", authority, scheme: "" }
        : { method: "CONNECT", path: head.path, authority, scheme: head.scheme, protocol: upgrade };
    this.#codec.sendHead(this.#stream, line, headers.fields, headers.neverIndexed, false);
  }

  /** @returns the status that it has in HTTP/1.1, for which this is an upgrade (RFC 8441 §5) */
  #answered(status: number, headers: HeaderMap): number {
    if (this.#upgrade === "connect" || status < 200 || status > 299) return status;
    if (this.#upgrade === "websocket") addWebSocketAccept(headers, this.#webSocketKey);
    return 101;
  }

  sendData(chunk: Buffer, endStream: boolean, unshared = false): void {
    const free = this.#codec.sendData(this.#stream, chunk, endStream);
    tellLoan(chunk, free, unshared);
  }

  sendTrailers(trailers: HeaderMap): void {
    this.#codec.sendTrailers(this.#stream, trailers.fields, trailers.neverIndexed);
  }

  reset(reason: ResetReason): void {
    this.receiver = undefined;
    this.#codec.resetStream(this.#stream, clientResetCode(reason));
  }

  pauseReading(): void {
    this.#codec.setReading(this.#stream, false);
  }

  resumeReading(): void {
    this.#codec.setReading(this.#stream, true);
  }
}
