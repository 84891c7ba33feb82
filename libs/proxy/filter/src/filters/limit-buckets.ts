import { TokenBucket, type TokenBucketOptions } from "./token-bucket.ts";

export interface LimitSpec {
  /** Of requests that no descriptor is about, and unless `onlyWithoutMatch` of all others too. */
  readonly bucket: TokenBucketOptions;
  /** Of requests that count as a descriptor, by its text. @default none */
  readonly descriptors?: ReadonlyMap<string, TokenBucketOptions>;
  /** A request with a descriptor of its own takes no token of `bucket`. @default false */
  readonly onlyWithoutMatch?: boolean;
}

/** What became of a request, and the bucket that says most about it: that which had nothing left, or the tightest. */
export interface LimitVerdict {
  readonly allowed: boolean;
  readonly bucket: TokenBucket;
}

/** The buckets of one limit. */
export class LimitBuckets {
  readonly #all: TokenBucket;
  readonly #ofDescriptor = new Map<string, TokenBucket>();
  readonly #onlyWithoutMatch: boolean;

  constructor({ bucket, descriptors, onlyWithoutMatch = false }: LimitSpec) {
    this.#all = new TokenBucket(bucket);
    for (const [text, options] of descriptors ?? []) this.#ofDescriptor.set(text, new TokenBucket(options));
    this.#onlyWithoutMatch = onlyWithoutMatch;
  }

  /** Of a limit without descriptors. */
  take(nowMs: number): boolean {
    return this.#all.take(nowMs);
  }

  /**
   * A token of each bucket that is about the request, those with the slowest pace first (as Envoy: the tightest limit says no before
   * the others are asked), and of equal ones that with the longest descriptor.
   */
  takeFor(descriptors: readonly string[], nowMs: number): LimitVerdict {
    const found: { readonly bucket: TokenBucket; readonly length: number }[] = [];
    for (const text of new Set(descriptors)) {
      const bucket = this.#ofDescriptor.get(text);
      if (bucket !== undefined) found.push({ bucket, length: text.split("\0").length });
    }
    found.sort((a, b) => a.bucket.perMs - b.bucket.perMs || b.length - a.length);
    for (const { bucket } of found) if (!bucket.take(nowMs)) return { allowed: false, bucket };
    const [tightest] = found;
    if (tightest !== undefined && this.#onlyWithoutMatch) return { allowed: true, bucket: tightest.bucket };
    if (!this.#all.take(nowMs)) return { allowed: false, bucket: this.#all };
    return { allowed: true, bucket: tightest?.bucket ?? this.#all };
  }
}
