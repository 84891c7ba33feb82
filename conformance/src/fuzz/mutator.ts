import type { Random } from "./random.ts";

const numbers = [0, 1, 2, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 254, 255, 256, 1023, 4096, 16_384, 65_535, 65_536, 2 ** 24 - 1, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]; // prettier-ignore

/** Makes inputs out of inputs. */
export class Mutator {
  readonly #random: Random;
  readonly #dictionary: readonly Buffer[];
  readonly #maxBytes: number;

  constructor(random: Random, dictionary: readonly Buffer[], maxBytes: number) {
    this.#random = random;
    this.#dictionary = dictionary;
    this.#maxBytes = maxBytes;
  }

  /** @param other of the corpus, for splices */
  mutate(input: Buffer, other: Buffer): Buffer {
    let bytes: Buffer = Buffer.from(input);
    for (let i = 1 + this.#random.below(this.#random.below(4) === 0 ? 12 : 3); i > 0; i--)
      bytes = this.#once(bytes, other);
    return bytes.length > this.#maxBytes ? bytes.subarray(0, this.#maxBytes) : bytes;
  }

  #once(bytes: Buffer, other: Buffer): Buffer {
    const random = this.#random;
    const at = random.below(bytes.length + 1);
    const span = 1 + random.below(random.below(4) === 0 ? 64 : 8);
    switch (random.below(10)) {
      case 0:
        if (at < bytes.length) bytes[at]! ^= 1 << random.below(8);
        return bytes;
      case 1:
        if (at < bytes.length) bytes[at] = random.below(256);
        return bytes;
      case 2:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + span)]);
      case 3:
        return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(span, random.below(256)), bytes.subarray(at)]);
      case 4: {
        const from = random.below(bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + span), bytes.subarray(at)]);
      }
      case 5: {
        const from = random.below(other.length + 1);
        const tail = random.below(2) === 0 ? other.subarray(from) : other.subarray(from, from + span);
        return Buffer.concat([bytes.subarray(0, at), tail, bytes.subarray(at + random.below(span + 1))]);
      }
      case 6:
        return this.#editLength(bytes, at);
      case 7:
        return this.#editText(bytes, at);
      default:
        return this.#insertWord(bytes, at);
    }
  }

  /** A number of one to four bytes is what lengths, counts and ids look like. */
  #editLength(bytes: Buffer, at: number): Buffer {
    const random = this.#random;
    const width = 1 + random.below(4);
    if (at + width > bytes.length) return bytes;
    const before = bytes.readUIntBE(at, width);
    const left = bytes.length - at - width;
    const value = [random.pick(numbers), left, left + 1, before + 1, before - 1, before * 2][random.below(6)] ?? 0;
    bytes.writeUIntBE(Math.abs(value) % 2 ** (8 * width), at, width);
    return bytes;
  }

  /** The number in digits that is nearest behind `at`. */
  #editText(bytes: Buffer, at: number): Buffer {
    const found = /\d+/.exec(bytes.toString("latin1", at));
    if (found === null) return bytes;
    const from = at + found.index;
    const digits = Buffer.from(String(this.#random.pick(numbers)));
    return Buffer.concat([bytes.subarray(0, from), digits, bytes.subarray(from + found[0].length)]);
  }

  #insertWord(bytes: Buffer, at: number): Buffer {
    if (this.#dictionary.length === 0) return bytes;
    const word = this.#random.pick(this.#dictionary);
    const over = this.#random.below(2) === 0 ? 0 : word.length;
    return Buffer.concat([bytes.subarray(0, at), word, bytes.subarray(at + over)]);
  }
}
