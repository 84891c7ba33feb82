import type { RequestHead } from "@fairlead/proxy-stream";
import type { StreamFilter, StreamFilterCallbacks, StreamFilterFactory } from "../stream-filter.ts";

export class BufferConfig {
  /** undefined: a route has switched the filter off. */
  readonly maxBytes: number | undefined;

  constructor(maxBytes: number | undefined) {
    this.maxBytes = maxBytes;
  }
}

/** Waits for the whole of a request before it goes on; one that is larger than the buffer is refused with 413. */
export function bufferFilter(config: BufferConfig, name: string): StreamFilterFactory {
  return (callbacks) => {
    const own = callbacks.override(name)?.config;
    const { maxBytes } = own instanceof BufferConfig ? own : config;
    return maxBytes === undefined ? undefined : new BufferRequest(maxBytes, callbacks);
  };
}

class BufferRequest implements StreamFilter {
  readonly #maxBytes: number;
  readonly #callbacks: StreamFilterCallbacks;
  #head: RequestHead | undefined;
  #bytes = 0;

  constructor(maxBytes: number, callbacks: StreamFilterCallbacks) {
    this.#maxBytes = maxBytes;
    this.#callbacks = callbacks;
  }

  onRequestHead(head: RequestHead, endStream: boolean): "continue" | "buffer" {
    // A tunnel has no end to wait for.
    if (endStream || head.upgrade !== undefined) return "continue";
    this.#head = head;
    return "buffer";
  }

  onRequestData(chunk: Buffer, endStream: boolean): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) {
      this.#head = undefined;
      this.#callbacks.sendLocalReply({
        status: 413,
        body: "Payload Too Large",
        details: "request_payload_too_large",
      });
    } else if (endStream) {
      this.#head = undefined;
      // The length is known now: the host may want it.
      if (!head.headers.has("content-length")) head.headers.add("content-length", String(this.#bytes));
      this.#callbacks.continueRequest();
    }
  }
}
