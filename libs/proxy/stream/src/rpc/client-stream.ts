import type { Member } from "@fairlead/buffer";
import type { RpcFrame } from "@fairlead/codec-rpc";
import type { HeaderMap } from "../header-map.ts";
import type { RequestHead, ResponseHead } from "../message.ts";
import type { ResetReason } from "../reset-reason.ts";
import type { StreamReceiver, StreamSender } from "../stream.ts";
import { RpcRequestHead } from "./rpc-head.ts";

export interface ClientStreamOwner {
  /** Gives the stream the id that it is sent with. */
  send(stream: RpcClientStream, head: RpcRequestHead, frame: RpcFrame): void;
  onDone(stream: RpcClientStream): void;
}

/** One call of ours to a host. */
export class RpcClientStream implements StreamSender<RequestHead>, Member {
  place = -1;
  readonly receiver: StreamReceiver<ResponseHead>;
  /** Of its frame on this connection; 0 until it is sent. */
  id = 0;
  readonly #owner: ClientStreamOwner;
  #head: RequestHead | undefined;
  #over = false;

  constructor(owner: ClientStreamOwner, receiver: StreamReceiver<ResponseHead>) {
    this.#owner = owner;
    this.receiver = receiver;
  }

  sendHead(head: RequestHead, endStream: boolean): void {
    this.#head = head;
    if (endStream) this.#end();
  }

  /** The frame of the head is what is sent: a call is one piece. */
  sendData(_chunk: Buffer, endStream: boolean): void {
    if (endStream) this.#end();
  }

  sendTrailers(_trailers: HeaderMap): void {
    this.#end();
  }

  /** A host cannot be told to forget a call: its answer will be dropped. */
  reset(_reason: ResetReason): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.onDone(this);
  }

  pauseReading(): void {}
  resumeReading(): void {}

  /** The call is over, by its answer or by the connection's end. @returns false when it was over before */
  finish(): boolean {
    const first = !this.#over;
    this.#over = true;
    return first;
  }

  #end(): void {
    if (this.#over || this.id !== 0) return;
    const head = this.#head;
    if (!(head instanceof RpcRequestHead)) {
      this.reset("protocol error");
      this.receiver.onReset("protocol error", "a request of another protocol");
      return;
    }
    this.#owner.send(this, head, head.frame);
  }
}
