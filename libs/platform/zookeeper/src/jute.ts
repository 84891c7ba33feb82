import { unavailable } from "./zookeeper-error.ts";

/** ZooKeeper's serialization: big-endian numbers; texts and buffers with an int before them, -1 for null; lists with their count. */
export class JuteWriter {
  #bytes = Buffer.allocUnsafe(256);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  int(value: number): this {
    this.#room(4);
    this.#size = this.#bytes.writeInt32BE(value, this.#size);
    return this;
  }

  long(value: bigint): this {
    this.#room(8);
    this.#size = this.#bytes.writeBigInt64BE(value, this.#size);
    return this;
  }

  bool(value: boolean): this {
    this.#room(1);
    this.#size = this.#bytes.writeUInt8(value ? 1 : 0, this.#size);
    return this;
  }

  buffer(value: Uint8Array): this {
    this.int(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#size);
    this.#size += value.length;
    return this;
  }

  text(value: string): this {
    return this.buffer(Buffer.from(value, "utf8"));
  }

  /** With its length before it: as it goes over the wire. */
  frame(): Buffer {
    const frame = Buffer.allocUnsafe(4 + this.#size);
    frame.writeInt32BE(this.#size, 0);
    this.#bytes.copy(frame, 4, 0, this.#size);
    return frame;
  }

  #room(bytes: number): void {
    if (this.#size + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#size + bytes));
    this.#bytes.copy(grown, 0, 0, this.#size);
    this.#bytes = grown;
  }
}

/** @throws FairleadError FL_ZOOKEEPER_UNAVAILABLE from each method when the bytes end before the value does */
export class JuteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  bool(): boolean {
    return this.#bytes[this.#take(1)] !== 0;
  }

  long(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  buffer(): Buffer {
    const length = this.int();
    if (length < 0) return Buffer.alloc(0);
    const start = this.#take(length);
    return Buffer.from(this.#bytes.subarray(start, start + length));
  }

  text(): string {
    const length = this.int();
    if (length < 0) return "";
    const start = this.#take(length);
    return this.#bytes.toString("utf8", start, start + length);
  }

  texts(): string[] {
    const count = this.int();
    const texts: string[] = [];
    for (let i = 0; i < count; i++) texts.push(this.text());
    return texts;
  }

  #take(bytes: number): number {
    const start = this.#at;
    if (bytes < 0 || start + bytes > this.#bytes.length)
      throw unavailable("ZooKeeper sent an answer that ends within a value");
    this.#at += bytes;
    return start;
  }
}
