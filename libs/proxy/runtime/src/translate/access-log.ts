import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { type AccessLog, AccessLogSchema } from "@fairlead/envoy-api/envoy/config/accesslog/v3/accesslog_pb.js";
import {
  type SubstitutionFormatString,
  SubstitutionFormatStringSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/substitution_format_string_pb.js";
import { FileAccessLogSchema } from "@fairlead/envoy-api/envoy/extensions/access_loggers/file/v3/file_pb.js";
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from "@fairlead/envoy-api/envoy/extensions/access_loggers/stream/v3/stream_pb.js";
import { compileJsonFormat, compileTextFormat, defaultTextFormat, type LogFormat } from "@fairlead/proxy-filter";
import type { AccessLogSpec } from "../access-log/access-log.ts";
import type { LogTarget } from "../access-log/log-file.ts";
import { readLogFilter } from "./access-log-filter.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** @throws FairleadError FL_XDS_REJECTED */
export function readAccessLogs(messages: readonly AccessLog[], where: string): readonly AccessLogSpec[] {
  return messages.map((message, i) => readAccessLog(message, `${where}[${i}].`));
}

function readAccessLog(message: AccessLog, where: string): AccessLogSpec {
  refuseOthers(AccessLogSchema, message, where, ["name", "filter", "typed_config"]);
  if (message.configType.case !== "typedConfig") throw rejection(`${where}typed_config`, "is missing");
  return {
    ...readSink(message.configType.value, `${where}typed_config`),
    filter: message.filter === undefined ? undefined : readLogFilter(message.filter, `${where}filter.`),
  };
}

function readSink(any: Any, where: string): { readonly target: LogTarget; readonly format: LogFormat } {
  const file = anyUnpack(any, FileAccessLogSchema);
  if (file !== undefined) {
    if (file.path === "") throw rejection(`${where}.path`, "is empty");
    const { accessLogFormat: format } = file;
    const target = standardStreams[file.path] ?? file.path;
    switch (format.case) {
      case "format":
        return { target, format: text(format.value, false, `${where}.format`) };
      case "jsonFormat":
      case "typedJsonFormat":
        return { target, format: json(format.value, false, `${where}.json_format`) };
      case "logFormat":
        return { target, format: readFormat(format.value, `${where}.log_format.`) };
      default:
        return { target, format: text(defaultTextFormat, false, where) };
    }
  }
  const stream = anyUnpack(any, StdoutAccessLogSchema) ?? anyUnpack(any, StderrAccessLogSchema);
  if (stream === undefined)
    throw rejection(where, `${any.typeUrl} is not supported; file, stdout and stderr access logs are`);
  return {
    target: stream.$typeName === StdoutAccessLogSchema.typeName ? 1 : 2,
    format: readFormat(stream.accessLogFormat.value, `${where}.log_format.`),
  };
}

/** As Envoy's users write them. */
const standardStreams: Readonly<Record<string, LogTarget>> = { "/dev/stdout": 1, "/dev/stderr": 2 };

function readFormat(message: SubstitutionFormatString | undefined, where: string): LogFormat {
  return message === undefined ? text(defaultTextFormat, false, where) : readSubstitutionFormat(message, where);
}

/** @param others fields that the caller reads. @throws FairleadError FL_XDS_REJECTED */
export function readSubstitutionFormat(
  message: SubstitutionFormatString,
  where: string,
  others: readonly string[] = [],
): LogFormat {
  refuseOthers(SubstitutionFormatStringSchema, message, where, [
    ...others,
    "text_format",
    "json_format",
    "text_format_source",
    "omit_empty_values",
    "json_format_options",
  ]);
  const { format, omitEmptyValues } = message;
  switch (format.case) {
    case "textFormat":
      return text(format.value, omitEmptyValues, `${where}text_format`);
    case "jsonFormat":
      return json(
        message.jsonFormatOptions?.sortProperties === true ? sorted(format.value) : format.value,
        omitEmptyValues,
        `${where}json_format`,
      );
    case "textFormatSource":
      if (format.value.specifier.case === "inlineString")
        return text(format.value.specifier.value, omitEmptyValues, `${where}text_format_source.inline_string`);
      throw rejection(`${where}text_format_source`, "only inline_string is supported by this proxy");
    default:
      throw rejection(`${where}format`, "is missing");
  }
}

function text(format: string, omitEmpty: boolean, field: string): LogFormat {
  const compiled = compileTextFormat(format, { omitEmpty });
  if (compiled === undefined) throw rejection(field, unknownOperator);
  return compiled;
}

type JsonFormat = Parameters<typeof compileJsonFormat>[0];

/** By the names of properties, at all levels. */
function sorted(format: JsonFormat): JsonFormat {
  const entries = Object.entries(format).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, isObject(value) ? sorted(value) : value]));
}

const isObject = (value: JsonFormat[string]): value is JsonFormat =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function json(format: JsonFormat, omitEmpty: boolean, field: string): LogFormat {
  const compiled = compileJsonFormat(format, { omitEmpty });
  if (compiled === undefined) throw rejection(field, unknownOperator);
  return compiled;
}

const unknownOperator = "has a command operator, or an argument of one, that is not supported by this proxy";
