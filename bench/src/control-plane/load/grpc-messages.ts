const headBytes = 5;

/** Puts gRPC messages together again from the pieces that HTTP/2 gives. */
export class GrpcMessages {
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** Bytes that are needed before there is something to do. */
  #wanted = headBytes;

  push(piece: Buffer, onMessage: (message: Buffer) => void): void {
    this.#rest.push(piece);
    this.#restBytes += piece.byteLength;
    if (this.#restBytes < this.#wanted) return;
    let bytes = this.#rest.length === 1 ? piece : Buffer.concat(this.#rest, this.#restBytes);
    for (;;) {
      this.#wanted = headBytes;
      if (bytes.byteLength < headBytes) break;
      this.#wanted = headBytes + bytes.readUInt32BE(1);
      if (bytes.byteLength < this.#wanted) break;
      onMessage(bytes.subarray(headBytes, this.#wanted));
      bytes = bytes.subarray(this.#wanted);
    }
    // A copy, so that a small rest does not hold a large piece.
    this.#rest = bytes.byteLength === 0 ? [] : [Buffer.from(bytes)];
    this.#restBytes = bytes.byteLength;
  }
}
