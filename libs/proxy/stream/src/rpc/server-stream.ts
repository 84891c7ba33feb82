import type { Member } from "@fairlead/buffer";
import type { RpcFrame, RpcProtocol } from "@fairlead/codec-rpc";
import type { HeaderMap } from "../header-map.ts";
import type { RequestHead, ResponseHead } from "../message.ts";
import type { ResetReason } from "../reset-reason.ts";
import type { StreamReceiver, StreamSender } from "../stream.ts";
import { failureOf } from "./rpc-failures.ts";
import { RpcResponseHead } from "./rpc-head.ts";

export interface ServerStreamOwner {
  readonly protocol: RpcProtocol;
  /** Also where there is nothing to write: a one-way call is over. */
  onResponse(stream: RpcServerStream, frame: Buffer | undefined): void;
}

/** A response that is longer than this was not made by a proxy. */
const maxTextBytes = 4096;

/** One call of a client: its frame has been read whole, so nothing of it is still to come. */
export class RpcServerStream implements StreamSender<ResponseHead>, Member {
  place = -1;
  receiver: StreamReceiver<RequestHead> | undefined;
  readonly #owner: ServerStreamOwner;
  readonly #request: RpcFrame;
  /** The request's bytes get another id on their way: what the client called it is kept. */
  readonly #idHigh: number;
  readonly #idLow: number;
  #head: ResponseHead | undefined;
  #text = "";
  #over = false;

  constructor(owner: ServerStreamOwner, request: RpcFrame) {
    this.#owner = owner;
    this.#request = request;
    this.#idHigh = request.idHigh;
    this.#idLow = request.idLow;
  }

  sendHead(head: ResponseHead, endStream: boolean): void {
    if (this.#over) return;
    this.#head = head;
    if (endStream) this.#fail();
  }

  sendData(chunk: Buffer, endStream: boolean): void {
    if (this.#over || this.#head === undefined) return;
    if (this.#head instanceof RpcResponseHead) {
      this.#end(chunk);
      return;
    }
    if (this.#text.length < maxTextBytes) this.#text += chunk.toString("utf8");
    if (endStream) this.#fail();
  }

  sendTrailers(_trailers: HeaderMap): void {
    if (!this.#over) this.#fail();
  }

  /** The client must not wait for ever: in a frame there is no other way to say that nothing will come. */
  reset(_reason: ResetReason): void {
    if (this.#over) return;
    this.#head = undefined;
    this.#fail();
  }

  // A call is there as a whole: there is nothing to hold back.
  pauseReading(): void {}
  resumeReading(): void {}

  /** What is asked about the call cannot be read. */
  refuse(text: string): void {
    if (this.#over) return;
    const receiver = this.receiver;
    this.#end(this.#owner.protocol.failureOf(this.#request, "malformed", text));
    receiver?.onReset("protocol error", text);
  }

  /** The connection is gone. */
  abandon(reason: ResetReason, details: string): void {
    if (this.#over) return;
    this.#over = true;
    const receiver = this.receiver;
    this.receiver = undefined;
    receiver?.onReset(reason, details);
  }

  #fail(): void {
    const { protocol } = this.#owner;
    const status = this.#head?.status ?? 500;
    const text = this.#text === "" ? `the mesh answered ${status}` : this.#text;
    this.#end(protocol.failureOf(this.#request, failureOf(this.#head), text));
  }

  #end(frame: Buffer): void {
    this.#over = true;
    this.receiver = undefined;
    if (this.#request.kind === "one-way") {
      this.#owner.onResponse(this, undefined);
      return;
    }
    this.#owner.protocol.setId(frame, this.#idHigh, this.#idLow);
    this.#owner.onResponse(this, frame);
  }
}
