import { fromBinary } from "@bufbuild/protobuf";
import {
  type Buffer as BufferMessage,
  BufferPerRouteSchema,
  BufferSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/buffer/v3/buffer_pb.js";
import { BufferConfig, bufferFilter, registerRouteConfig, registerStreamFilter } from "@fairlead/proxy-filter";
import { refuseOthers, rejection } from "../rejection.ts";
import { typeUrlOf } from "./type-url.ts";

function read(message: BufferMessage, where: string): BufferConfig {
  refuseOthers(BufferSchema, message, where, ["max_request_bytes"]);
  const maxBytes = message.maxRequestBytes ?? 0;
  if (maxBytes === 0) throw rejection(`${where}max_request_bytes`, "is missing or 0");
  return new BufferConfig(maxBytes);
}

registerStreamFilter(typeUrlOf(BufferSchema), (bytes, { name, where }) =>
  bufferFilter(read(fromBinary(BufferSchema, bytes), where), name),
);
registerRouteConfig(typeUrlOf(BufferPerRouteSchema), (bytes, where) => {
  const message = fromBinary(BufferPerRouteSchema, bytes);
  refuseOthers(BufferPerRouteSchema, message, where, ["disabled", "buffer"]);
  const { override } = message;
  if (override.case === "buffer") return read(override.value, `${where}buffer.`);
  if (override.case === undefined) throw rejection(where, "has neither disabled nor buffer");
  if (!override.value) throw rejection(`${where}disabled`, "must be true where it is set");
  return new BufferConfig(undefined);
});
