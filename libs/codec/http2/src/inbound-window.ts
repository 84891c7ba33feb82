import { DEFAULT_WINDOW_BYTES, ERROR_CODE } from "./frame-types.ts";
import { Http2Error } from "./http2-error.ts";

/**
 * The window of all streams together (RFC 9113 §5.2).
 *
 * It is given back as data comes, not as it is read: else one slow reader would stop all others of the connection. Only when
 * the slow ones together hold too much is it withheld.
 */
export class InboundWindow {
  readonly #bytes: number;
  readonly #maxHeldBytes: number;
  readonly #send: (increment: number) => void;
  #left: number;
  #unreturned = 0;
  #held = 0;

  constructor(bytes: number, maxHeldBytes: number, send: (increment: number) => void) {
    this.#bytes = Math.max(bytes, DEFAULT_WINDOW_BYTES);
    this.#maxHeldBytes = maxHeldBytes;
    this.#send = send;
    this.#left = DEFAULT_WINDOW_BYTES;
    this.#unreturned = this.#bytes - DEFAULT_WINDOW_BYTES;
  }

  /** Tells the peer of a window that is larger than at the start of every connection. */
  open(): void {
    if (this.#unreturned > 0) this.#give();
  }

  /** @throws Http2Error when the peer sends more than it may */
  take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new Http2Error(ERROR_CODE.flowControlError, "more data than the connection's window");
    this.#unreturned += bytes;
    this.#giveBack();
  }

  hold(bytes: number): void {
    this.#held += bytes;
  }

  release(bytes: number): void {
    this.#held -= bytes;
    this.#giveBack();
  }

  #giveBack(): void {
    if (this.#unreturned * 2 >= this.#bytes && this.#held <= this.#maxHeldBytes) this.#give();
  }

  #give(): void {
    this.#send(this.#unreturned);
    this.#left += this.#unreturned;
    this.#unreturned = 0;
  }
}
