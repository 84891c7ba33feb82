import { fromBinary } from "@bufbuild/protobuf";
import {
  type Compressor,
  type Compressor_CommonDirectionConfig as Common,
  Compressor_CommonDirectionConfigSchema as CommonSchema,
  Compressor_ResponseDirectionConfigSchema as ResponseSchema,
  CompressorOverridesSchema,
  CompressorPerRouteSchema,
  CompressorSchema,
  ResponseDirectionOverridesSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/compressor/v3/compressor_pb.js";
import {
  CompressorOverride,
  compressorFilter,
  type CompressorSpec,
  registerRouteConfig,
  registerStreamFilter,
} from "@fairlead/proxy-filter";
import { refuseOthers, rejection } from "../rejection.ts";
import { readCompressorLibrary } from "./compressor-library.ts";
import { typeUrlOf } from "./type-url.ts";

/** Envoy's. */
const DEFAULT_MIN_BYTES = 30;
const defaultTypes = [
  "application/javascript",
  "application/json",
  "application/xhtml+xml",
  "image/svg+xml",
  "text/css",
  "text/html",
  "text/plain",
  "text/xml",
];

function read(message: Compressor, where: string): CompressorSpec {
  refuseOthers(CompressorSchema, message, where, [
    "content_length",
    "content_type",
    "disable_on_etag_header",
    "remove_accept_encoding_header",
    "runtime_enabled",
    "compressor_library",
    "request_direction_config",
    "response_direction_config",
    "choose_first",
  ]);
  const { requestDirectionConfig: request, responseDirectionConfig: response } = message;
  if (request?.commonConfig?.enabled?.defaultValue === true)
    throw rejection(`${where}request_direction_config`, "requests are not compressed by this proxy");
  if (response !== undefined)
    refuseOthers(ResponseSchema, response, `${where}response_direction_config.`, [
      "common_config",
      "disable_on_etag_header",
      "remove_accept_encoding_header",
    ]);
  const { name, library } = readCompressorLibrary(message.compressorLibrary, `${where}compressor_library`);
  const common = readCommon(message, response?.commonConfig, `${where}response_direction_config.common_config.`);
  const libraryName = library.encoding === "br" ? "brotli" : library.encoding;
  return {
    statPrefix: `compressor.${name}.${libraryName}.${response === undefined ? "" : "response."}`,
    library,
    ...common,
    leavesEtag: response?.disableOnEtagHeader ?? message.disableOnEtagHeader,
    removesAcceptEncoding: response?.removeAcceptEncodingHeader ?? message.removeAcceptEncodingHeader,
    chooseFirst: message.chooseFirst,
  };
}

/** What a direction says takes the place of the older fields of both. */
function readCommon(
  message: Compressor,
  common: Common | undefined,
  where: string,
): Pick<CompressorSpec, "enabled" | "minBytes" | "contentTypes"> {
  if (common !== undefined)
    refuseOthers(CommonSchema, common, where, ["enabled", "min_content_length", "content_type"]);
  const types = common === undefined ? message.contentType : common.contentType;
  const enabled = common === undefined ? message.runtimeEnabled?.defaultValue : common.enabled?.defaultValue;
  return {
    // There is no runtime to look a key up in: what it falls back to counts.
    enabled: (enabled ?? true) ? 1 : 0,
    minBytes: (common === undefined ? message.contentLength : common.minContentLength) ?? DEFAULT_MIN_BYTES,
    contentTypes: new Set((types.length === 0 ? defaultTypes : types).map((type) => type.toLowerCase())),
  };
}

registerStreamFilter(typeUrlOf(CompressorSchema), (bytes, { name, where }) =>
  compressorFilter(read(fromBinary(CompressorSchema, bytes), where), name),
);
registerRouteConfig(typeUrlOf(CompressorPerRouteSchema), (bytes, where) => {
  const message = fromBinary(CompressorPerRouteSchema, bytes);
  refuseOthers(CompressorPerRouteSchema, message, where, ["disabled", "overrides"]);
  const { override } = message;
  if (override.case === "disabled") {
    if (!override.value) throw rejection(`${where}disabled`, "must be true where it is set");
    return new CompressorOverride(true, undefined);
  }
  if (override.case === undefined) throw rejection(where, "has neither disabled nor overrides");
  const { responseDirectionConfig: response } = override.value;
  refuseOthers(CompressorOverridesSchema, override.value, `${where}overrides.`, ["response_direction_config"]);
  const field = `${where}overrides.response_direction_config.`;
  if (response !== undefined)
    refuseOthers(ResponseDirectionOverridesSchema, response, field, ["remove_accept_encoding_header"]);
  return new CompressorOverride(false, response?.removeAcceptEncodingHeader);
});
