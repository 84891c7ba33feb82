import { hash } from "node:crypto";

export interface SharedDecodingsOptions {
  readonly maxEntries: number;
  /** Of encoded bytes, over all entries. One that is larger is decoded each time. */
  readonly maxBytes: number;
  /** After this time without a use what was decoded is forgotten. ms */
  readonly maxAgeMs: number;
  /** Monotonic, ms. @default performance.now */
  readonly now?: () => number;
}

interface Entry<Decoded> {
  readonly decoded: Decoded;
  readonly bytes: number;
  usedAt: number;
}

/** What was decoded a short while ago, by its bytes: equal bytes give the same object. */
export class SharedDecodings<Decoded> {
  readonly #options: SharedDecodingsOptions;
  readonly #now: () => number;
  /** The one used longest ago first. */
  readonly #entries = new Map<string, Entry<Decoded>>();
  #bytes = 0;

  constructor(options: SharedDecodingsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @throws what `decode` throws */
  of(bytes: Uint8Array, decode: (bytes: Uint8Array) => Decoded): Decoded {
    const now = this.#now();
    // SHA-256: clients choose the bytes, and must not be able to get what another one's mean.
    const key = hash("sha256", bytes, "base64");
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.usedAt = now;
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known.decoded;
    }
    const decoded = decode(bytes);
    if (bytes.byteLength <= this.#options.maxBytes) {
      this.#entries.set(key, { decoded, bytes: bytes.byteLength, usedAt: now });
      this.#bytes += bytes.byteLength;
    }
    this.#forget(now);
    return decoded;
  }

  #forget(now: number): void {
    const { maxEntries, maxBytes, maxAgeMs } = this.#options;
    for (const [key, { bytes, usedAt }] of this.#entries) {
      const isFull = this.#entries.size > maxEntries || this.#bytes > maxBytes;
      if (!isFull && now - usedAt < maxAgeMs) return;
      this.#entries.delete(key);
      this.#bytes -= bytes;
    }
  }
}
