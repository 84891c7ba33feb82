import {
  type Http1ProtocolOptions,
  Http1ProtocolOptionsSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/protocol_pb.js";
import type { Http1Options } from "@fairlead/proxy-stream";
import { refuseOthers, rejection } from "./rejection.ts";

/** @throws FairleadError FL_XDS_REJECTED */
export function readHttp1Options(message: Http1ProtocolOptions | undefined, where: string): Http1Options {
  if (message === undefined) return {};
  const field = `${where}http_protocol_options.`;
  if (message.allowAbsoluteUrl === false)
    throw rejection(`${field}allow_absolute_url`, "false is not supported: RFC 9112 §3.2.2 has all servers take them");
  refuseOthers(Http1ProtocolOptionsSchema, message, field, [
    "allow_absolute_url",
    "accept_http_10",
    "allow_chunked_length",
    "use_balsa_parser",
  ]);
  return { acceptHttp10: message.acceptHttp10, allowChunkedLength: message.allowChunkedLength };
}
