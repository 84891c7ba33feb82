import type { BusMessage } from "./bus.ts";

const maxMessages = 1000;
const maxTotalBytes = 16 * 1024 * 1024;

/**
 * The last messages of one subject, numbered. Subscriptions are cursors into it, so that a slow one costs
 * no memory: what has left the log before it was read is lost to it, as on a NATS stream with limits.
 */
export class SubjectLog {
  #messages: BusMessage[] = [];
  #first = 0;
  #bytes = 0;

  /** The number that the next message will have. */
  get end(): number {
    return this.#first + this.#messages.length;
  }

  append(message: BusMessage): void {
    this.#messages.push({ ...message, data: message.data.slice() });
    this.#bytes += message.data.byteLength;
    while (this.#messages.length > maxMessages || (this.#bytes > maxTotalBytes && this.#messages.length > 1)) {
      this.#bytes -= this.#messages.shift()!.data.byteLength;
      this.#first++;
    }
  }

  /** The oldest message at or after a number, as a copy of the reader's own. */
  readFrom(number: number): { readonly number: number; readonly message: BusMessage } | undefined {
    const found = Math.max(number, this.#first);
    const message = this.#messages[found - this.#first];
    return message === undefined ? undefined : { number: found, message: { ...message, data: message.data.slice() } };
  }
}
