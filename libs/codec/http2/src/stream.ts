import { ByteChain } from "@fairlead/buffer";
/** Why a stream ended before its messages did. */
export interface StreamReset {
  /** RFC 9113 §7. */
  readonly errorCode: number;
  /** `peer`: RST_STREAM came. `unprocessed`: the peer says that it has not begun with it. `malformed`: the peer broke a rule on it. `limit`: it sent more than we take. */
  readonly by: "peer" | "unprocessed" | "malformed" | "limit";
  readonly details: string;
}

/** Gets what comes on a stream. `onReset` comes at most once, and nothing after it. */
export interface StreamSink<Head> {
  onHead(head: Head, endStream: boolean): void;
  /** Of a response's status below 200, before its head. */
  onInterim?(status: number): void;
  /** @param slice of the bytes that came in, not a copy */
  onData(slice: Buffer, endStream: boolean): void;
  /** Ends the message. name, value, name, value … */
  onTrailers(headers: string[], neverIndexed: readonly string[] | undefined): void;
  onReset(reset: StreamReset): void;
  /** More waits to be sent than `maxQueuedBytes`: send no more until `onWritable`. What is sent is kept all the same. */
  onWriteBlocked(): void;
  onWritable(): void;
  /** Both messages are complete, or the stream was reset by one side. Comes once, last. */
  onClosed(): void;
}

/** One stream as its connection sees it (RFC 9113 §5.1). The connection alone changes it. */
export class Http2Stream<Head> {
  /** 0 until the head of a request of ours is sent. */
  id = 0;
  sink: StreamSink<Head> | undefined;
  openedMs = 0;
  /** We have ended our half (what is queued is still on its way). */
  localEnded = false;
  remoteEnded = false;
  closed = false;
  headSent = false;
  headReceived = false;
  /** A response to HEAD has a content-length and no data. */
  headRequest = false;
  /** An agreed CONNECT: each half ends on its own. */
  tunnel = false;

  // Receiving
  /** Bytes of data that the head still promises; -1 = any number. */
  remainingBytes = -1;
  reading = true;
  /** What the peer may still send. */
  receiveWindow: number;
  /** Received, and not yet given back to the peer as window. */
  unreturned = 0;
  /** The part of `unreturned` that came while nobody read. */
  held = 0;

  // Sending
  sendWindow: number;
  /** Data that waits for windows or the socket. */
  readonly queue = new ByteChain();
  /** After the queue comes the end, with these trailers if there are any. */
  endQueued = false;
  /** The frame with the end has been written. */
  endSent = false;
  trailers: { readonly headers: readonly string[]; readonly neverIndexed: readonly string[] | undefined } | undefined;
  /** In the round of streams that may send. */
  scheduled = false;
  writeBlocked = false;

  constructor(receiveWindow: number, sendWindow: number) {
    this.receiveWindow = receiveWindow;
    this.sendWindow = sendWindow;
  }
}
