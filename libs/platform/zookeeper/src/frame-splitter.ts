import { unavailable } from "./zookeeper-error.ts";

/** A list of 100,000 children with long names has some 50 MB. */
const maxFrameBytes = 128 * 1024 * 1024;

/** Makes frames of what comes in: a length of four bytes, and so many bytes. */
export class FrameSplitter {
  #parts: Buffer[] = [];
  #size = 0;

  /** @throws FairleadError FL_ZOOKEEPER_UNAVAILABLE when a length cannot be one: the peer is no ZooKeeper */
  push(chunk: Buffer): Buffer[] {
    this.#parts.push(chunk);
    this.#size += chunk.length;
    const frames: Buffer[] = [];
    for (let length = this.#length(); length !== undefined && this.#size >= 4 + length; length = this.#length()) {
      const bytes = this.#joined();
      frames.push(bytes.subarray(4, 4 + length));
      this.#parts = [bytes.subarray(4 + length)];
      this.#size -= 4 + length;
    }
    return frames;
  }

  #length(): number | undefined {
    if (this.#size < 4) return undefined;
    const [first] = this.#parts;
    const length = (first!.length >= 4 ? first! : this.#joined()).readInt32BE(0);
    if (length < 0 || length > maxFrameBytes)
      throw unavailable(`a frame of ${length} bytes: the peer does not speak ZooKeeper's protocol`);
    return length;
  }

  #joined(): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts, this.#size)];
    return this.#parts[0]!;
  }
}
