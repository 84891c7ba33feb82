import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseEncoding } from "./accept-encoding.ts";

const rows: readonly (readonly [header: string | undefined, encoding: string | undefined, reason: string])[] = [
  [undefined, undefined, "missing"],
  ["", undefined, "not_valid"],
  ["gzip", "gzip", "compressor_used"],
  ["GZip", "gzip", "compressor_used"],
  ["gzip, br", "br", "compressor_used"],
  ["br;q=0.5, gzip;q=0.9", "gzip", "compressor_used"],
  ["br; q=0.5 , gzip ; q=0.5", "br", "compressor_used"],
  ["deflate, compress", undefined, "not_valid"],
  ["identity", undefined, "identity"],
  ["identity, gzip;q=0.5", undefined, "identity"],
  ["gzip, identity", "gzip", "compressor_used"],
  ["*", "br", "wildcard"],
  ["*;q=0", undefined, "not_valid"],
  ["br;q=0, *", "gzip", "wildcard"],
  ["br;q=0,gzip;q=0,*", undefined, "wildcard"],
  ["gzip;q=0", undefined, "not_valid"],
  ["gzip;q=2", undefined, "not_valid"],
  ["gzip;q=x", undefined, "not_valid"],
  ["gzip;q=1.000, br;q=0.999", "gzip", "compressor_used"],
];

for (const [header, encoding, reason] of rows) {
  test(`of br and gzip, ${JSON.stringify(header)} gets ${encoding ?? "neither"}`, () => {
    assert.deepEqual(chooseEncoding(header, ["br", "gzip"]), { encoding, reason });
  });
}
