import {
  type Http1ProtocolOptions,
  Http1ProtocolOptionsSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/protocol_pb.js";
import type { Http1Options } from "@fairlead/proxy-stream";
import { readHost } from "./path-text.ts";
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
    "header_key_format",
    "use_balsa_parser",
    "enable_trailers",
    "default_host_for_http_10",
  ]);
  const { defaultHostForHttp10: host } = message;
  return {
    trailers: message.enableTrailers,
    defaultHost: host === "" ? undefined : readHost(host, `${field}default_host_for_http_10`),
    acceptHttp10: message.acceptHttp10,
    allowChunkedLength: message.allowChunkedLength,
    properCase: readProperCase(message.headerKeyFormat, `${field}header_key_format`),
  };
}

/** Of the options of a cluster: what is about requests that come does not concern it. */
export function readClientHttp1Options(
  message: Http1ProtocolOptions | undefined,
  where: string,
): Http1Options | undefined {
  if (message === undefined) return undefined;
  refuseOthers(Http1ProtocolOptionsSchema, message, where, ["header_key_format", "enable_trailers"]);
  return {
    trailers: message.enableTrailers,
    properCase: readProperCase(message.headerKeyFormat, `${where}header_key_format`),
  };
}

function readProperCase(message: Http1ProtocolOptions["headerKeyFormat"], field: string): boolean {
  if (message === undefined) return false;
  if (message.headerFormat.case !== "properCaseWords")
    throw rejection(field, "only proper_case_words is supported by this proxy");
  return true;
}
