/** XXH64 (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md): what Envoy hashes requests and hosts with. */

const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate = (value: bigint, by: bigint): bigint => u64((value << by) | (value >> (64n - by)));
const round = (accumulator: bigint, lane: bigint): bigint => u64(rotate(u64(accumulator + lane * P2), 31n) * P1);
const merge = (hash: bigint, accumulator: bigint): bigint => u64((hash ^ round(0n, accumulator)) * P1 + P4);

/** @param text hashed as UTF-8 */
export function xxHash64(text: string, seed = 0n): bigint {
  const bytes = Buffer.from(text);
  const { length } = bytes;
  let at = 0;
  let hash: bigint;
  if (length >= 32) {
    let a = u64(seed + P1 + P2);
    let b = u64(seed + P2);
    let c = seed;
    let d = u64(seed - P1);
    for (; at <= length - 32; at += 32) {
      a = round(a, bytes.readBigUInt64LE(at));
      b = round(b, bytes.readBigUInt64LE(at + 8));
      c = round(c, bytes.readBigUInt64LE(at + 16));
      d = round(d, bytes.readBigUInt64LE(at + 24));
    }
    hash = u64(rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n));
    for (const accumulator of [a, b, c, d]) hash = merge(hash, accumulator);
  } else hash = u64(seed + P5);
  hash = u64(hash + BigInt(length));
  for (; at <= length - 8; at += 8) hash = u64(rotate(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * P1 + P4);
  if (at <= length - 4) {
    hash = u64(rotate(hash ^ u64(BigInt(bytes.readUInt32LE(at)) * P1), 23n) * P2 + P3);
    at += 4;
  }
  for (; at < length; at++) hash = u64(rotate(hash ^ u64(BigInt(bytes[at] ?? 0) * P5), 11n) * P1);
  hash = u64((hash ^ (hash >> 33n)) * P2);
  hash = u64((hash ^ (hash >> 29n)) * P3);
  return hash ^ (hash >> 32n);
}
