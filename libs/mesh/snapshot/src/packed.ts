import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** nats-server takes 1 MiB for a message unless told otherwise; the routes of a large mesh are more, and very alike. */
const packFromBytes = 64 * 1024;
/** What an entry may become: no more than this is made of what somebody has put into the bucket. */
const maxUnpackedBytes = 256 * 1024 * 1024;
/** RFC 8878 §3.1.1. No entry begins so: its first field would be a number with the tag 5. */
const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const level = 3;

/** @returns a large entry as a frame of zstd, a small one as it is */
export function pack(entry: Uint8Array): Uint8Array {
  if (entry.byteLength < packFromBytes) return entry;
  return zstdCompressSync(entry, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

/** @throws Error when it begins as a frame and is none, or one of too much */
export function unpack(stored: Uint8Array): Uint8Array {
  if (Buffer.compare(stored.subarray(0, zstdMagic.length), zstdMagic) !== 0) return stored;
  return zstdDecompressSync(stored, { maxOutputLength: maxUnpackedBytes });
}
