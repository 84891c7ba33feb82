/** Bytes that wait for a host's answer, from which on the client is told to wait. */
const MAX_EARLY_BYTES = 64 * 1024;

/**
 * What a client sends before the host has agreed to speak another protocol: it waits here, as a host that does not agree would take
 * it for requests.
 */
export class RequestedTunnel {
  #held: Buffer[] = [];
  #bytes = 0;
  blocked = false;
  ended = false;

  /** @returns true when the client should wait */
  hold(chunk: Buffer, end: boolean): boolean {
    if (chunk.length > 0) this.#held.push(chunk);
    this.#bytes += chunk.length;
    this.ended ||= end;
    const blocks = !this.blocked && this.#bytes >= MAX_EARLY_BYTES;
    this.blocked ||= blocks;
    return blocks;
  }

  take(): Buffer[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }
}
