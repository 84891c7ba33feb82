export { type HeaderSink, HpackDecoder } from "./decoder.ts";
export { HpackEncoder, type HpackEncoderOptions } from "./encoder.ts";
export { HpackError } from "./hpack-error.ts";
