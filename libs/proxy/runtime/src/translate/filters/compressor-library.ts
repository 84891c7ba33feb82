import { constants, createBrotliCompress, createZstdCompress } from "node:zlib";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { TypedExtensionConfig } from "@fairlead/envoy-api/envoy/config/core/v3/extension_pb.js";
import {
  Brotli_EncoderMode,
  type Brotli,
  BrotliSchema,
} from "@fairlead/envoy-api/envoy/extensions/compression/brotli/compressor/v3/brotli_pb.js";
import {
  type Gzip,
  Gzip_CompressionLevel,
  Gzip_CompressionStrategy,
  GzipSchema,
} from "@fairlead/envoy-api/envoy/extensions/compression/gzip/compressor/v3/gzip_pb.js";
import {
  type Zstd,
  Zstd_Strategy,
  ZstdSchema,
} from "@fairlead/envoy-api/envoy/extensions/compression/zstd/compressor/v3/zstd_pb.js";
import { type CompressorLibrary, usedOnce } from "@fairlead/proxy-filter";
import { refuseOthers, rejection } from "../rejection.ts";
import { gzipPool } from "./gzip-pool.ts";

/** Envoy's defaults: little memory for each response. What is written is given out at once, as a stream of events must not wait. */
const CHUNK_BYTES = 4096;

/** @returns its name in statistics, too. @throws FairleadError FL_XDS_REJECTED */
export function readCompressorLibrary(
  message: TypedExtensionConfig | undefined,
  where: string,
): { readonly name: string; readonly library: CompressorLibrary } {
  const any = message?.typedConfig;
  if (message === undefined || any === undefined) throw rejection(where, "is missing");
  const field = `${where}.typed_config`;
  const gzip = anyUnpack(any, GzipSchema);
  if (gzip !== undefined) return { name: message.name, library: gzipOf(gzip, `${field}.`) };
  const brotli = anyUnpack(any, BrotliSchema);
  if (brotli !== undefined) return { name: message.name, library: brotliOf(brotli, `${field}.`) };
  const zstd = anyUnpack(any, ZstdSchema);
  if (zstd !== undefined) return { name: message.name, library: zstdOf(zstd, `${field}.`) };
  throw rejection(field, `${any.typeUrl} is not supported; Gzip, Brotli and Zstd are`);
}

const strategies: Readonly<Record<Gzip_CompressionStrategy, number>> = {
  [Gzip_CompressionStrategy.DEFAULT_STRATEGY]: constants.Z_DEFAULT_STRATEGY,
  [Gzip_CompressionStrategy.FILTERED]: constants.Z_FILTERED,
  [Gzip_CompressionStrategy.HUFFMAN_ONLY]: constants.Z_HUFFMAN_ONLY,
  [Gzip_CompressionStrategy.RLE]: constants.Z_RLE,
  [Gzip_CompressionStrategy.FIXED]: constants.Z_FIXED,
};

function gzipOf(message: Gzip, where: string): CompressorLibrary {
  const { compressionLevel: level, windowBits = 12, memoryLevel = 5 } = message;
  const options = {
    // 8 bits are not enough for zlib's gzip.
    windowBits: between(windowBits, 9, 15, `${where}window_bits`),
    memLevel: between(memoryLevel, 1, 9, `${where}memory_level`),
    level: level === Gzip_CompressionLevel.DEFAULT_COMPRESSION ? constants.Z_DEFAULT_COMPRESSION : level,
    strategy: strategies[message.compressionStrategy],
    chunkSize: between(message.chunkSize ?? CHUNK_BYTES, 4096, 65_536, `${where}chunk_size`),
    flush: constants.Z_SYNC_FLUSH,
  };
  return { encoding: "gzip", create: gzipPool(options) };
}

const modes: Readonly<Record<Brotli_EncoderMode, number>> = {
  [Brotli_EncoderMode.DEFAULT]: constants.BROTLI_MODE_GENERIC,
  [Brotli_EncoderMode.GENERIC]: constants.BROTLI_MODE_GENERIC,
  [Brotli_EncoderMode.TEXT]: constants.BROTLI_MODE_TEXT,
  [Brotli_EncoderMode.FONT]: constants.BROTLI_MODE_FONT,
};

function brotliOf(message: Brotli, where: string): CompressorLibrary {
  const { quality = 3, windowBits = 18, inputBlockBits = 24 } = message;
  const options = {
    chunkSize: between(message.chunkSize ?? CHUNK_BYTES, 4096, 65_536, `${where}chunk_size`),
    flush: constants.BROTLI_OPERATION_FLUSH,
    params: {
      [constants.BROTLI_PARAM_QUALITY]: between(quality, 0, 11, `${where}quality`),
      [constants.BROTLI_PARAM_LGWIN]: between(windowBits, 10, 24, `${where}window_bits`),
      [constants.BROTLI_PARAM_LGBLOCK]: between(inputBlockBits, 16, 24, `${where}input_block_bits`),
      [constants.BROTLI_PARAM_MODE]: modes[message.encoderMode],
      [constants.BROTLI_PARAM_DISABLE_LITERAL_CONTEXT_MODELING]: message.disableLiteralContextModeling,
    },
  };
  return { encoding: "br", create: () => usedOnce(createBrotliCompress(options)) };
}

function zstdOf(message: Zstd, where: string): CompressorLibrary {
  refuseOthers(ZstdSchema, message, where, ["compression_level", "enable_checksum", "strategy", "chunk_size"]);
  const options = {
    chunkSize: between(message.chunkSize ?? CHUNK_BYTES, 4096, 65_536, `${where}chunk_size`),
    flush: constants.ZSTD_e_flush,
    params: {
      [constants.ZSTD_c_compressionLevel]: between(message.compressionLevel ?? 3, 1, 22, `${where}compression_level`),
      [constants.ZSTD_c_checksumFlag]: message.enableChecksum ? 1 : 0,
      // What is 0 is the library's own choice.
      ...(message.strategy === Zstd_Strategy.DEFAULT ? {} : { [constants.ZSTD_c_strategy]: message.strategy }),
    },
  };
  return { encoding: "zstd", create: () => usedOnce(createZstdCompress(options)) };
}

function between(value: number, least: number, most: number, field: string): number {
  if (value < least || value > most) throw rejection(field, `is not from ${least} to ${most}`);
  return value;
}
