import { fromBinary } from "@bufbuild/protobuf";
import {
  type Buffer as BufferMessage,
  BufferPerRouteSchema,
  BufferSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/buffer/v3/buffer_pb.js";
import { BufferConfig, bufferFilter, registerRouteConfig, registerStreamFilter } from "@fairlead/proxy-filter";
import { rejection } from "../rejection.ts";
import { typeUrlOf } from "./type-url.ts";

function read(message: BufferMessage, where: string): BufferConfig {
  const maxBytes = message.maxRequestBytes ?? 0;
  if (maxBytes === 0) throw rejection(`${where}max_request_bytes`, "is missing or 0");
  return new BufferConfig(maxBytes);
}

registerStreamFilter(typeUrlOf(BufferSchema), (bytes, { name, where }) =>
  bufferFilter(read(fromBinary(BufferSchema, bytes), where), name),
);
registerRouteConfig(typeUrlOf(BufferPerRouteSchema), (bytes, where) => {
  const { override } = fromBinary(BufferPerRouteSchema, bytes);
  // To switch it off is to set no limit and wait for nothing: said with FilterConfig.disabled.
  if (override.case !== "buffer") throw rejection(`${where}disabled`, "is not supported; FilterConfig.disabled is");
  return read(override.value, `${where}buffer.`);
});
