import {
  type LocalReplyConfig,
  LocalReplyConfigSchema,
  type ResponseMapper,
  ResponseMapperSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { SubstitutionFormatString } from "@fairlead/envoy-api/envoy/config/core/v3/substitution_format_string_pb.js";
import type { LocalReply, LocalReplyMapper, LogFormat, StreamInfo } from "@fairlead/proxy-filter";
import { applyMutation, type HeaderMutation } from "@fairlead/proxy-router";
import type { LogFilter } from "../access-log/log-filter.ts";
import { readLogFilter } from "./access-log-filter.ts";
import { readSubstitutionFormat } from "./access-log.ts";
import { type BodySource, readBody } from "./body-source.ts";
import { readMutation } from "./header-mutations.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** Envoy's limit for a body in the configuration. */
const MAX_BODY_BYTES = 4096;

interface BodyFormat {
  readonly format: LogFormat;
  readonly contentType: string;
}

interface Mapper {
  readonly matches: LogFilter;
  readonly status: number | undefined;
  readonly body: BodySource | undefined;
  readonly format: BodyFormat | undefined;
  readonly headers: HeaderMutation | undefined;
}

/** @returns undefined where replies stay as they are. @throws FairleadError FL_XDS_REJECTED */
export function readLocalReplies(message: LocalReplyConfig | undefined, where: string): LocalReplyMapper | undefined {
  if (message === undefined) return undefined;
  refuseOthers(LocalReplyConfigSchema, message, where, ["mappers", "body_format"]);
  const mappers = message.mappers.map((mapper, i) => readMapper(mapper, `${where}mappers[${i}].`));
  const general = readBodyFormat(message.bodyFormat, `${where}body_format.`);
  return (reply, info) => {
    const mapper = mappers.find(({ matches }) => matches(info));
    return applyMapper(mapper, general, reply, info);
  };
}

function applyMapper(
  mapper: Mapper | undefined,
  general: BodyFormat | undefined,
  reply: LocalReply,
  info: StreamInfo,
): LocalReply {
  const status = mapper?.status ?? reply.status;
  const plain: BodySource = mapper?.body ?? reply;
  const wanted = mapper?.format ?? general;
  info.status = status;
  info.localBody = plain.body;
  const headers = mapper?.headers;
  return {
    ...reply,
    status,
    ...(wanted === undefined
      ? { body: plain.body, bytes: plain.bytes }
      : { body: wanted.format(info), bytes: undefined, contentType: wanted.contentType }),
    ...(headers === undefined ? {} : { change: (of) => applyMutation(headers, of, info) }),
  };
}

function readMapper(message: ResponseMapper, where: string): Mapper {
  refuseOthers(ResponseMapperSchema, message, where, [
    "filter",
    "status_code",
    "body",
    "body_format_override",
    "headers_to_add",
  ]);
  if (message.filter === undefined) throw rejection(`${where}filter`, "is missing");
  const { statusCode: status } = message;
  if (status !== undefined && (status < 200 || status > 599))
    throw rejection(`${where}status_code`, "is not a status from 200 to 599");
  return {
    matches: readLogFilter(message.filter, `${where}filter.`),
    status,
    body: readBody(message.body, `${where}body`, MAX_BODY_BYTES),
    format: readBodyFormat(message.bodyFormatOverride, `${where}body_format_override.`),
    headers: readMutation(message.headersToAdd, [], `${where}headers_to`),
  };
}

function readBodyFormat(message: SubstitutionFormatString | undefined, where: string): BodyFormat | undefined {
  if (message === undefined) return undefined;
  // The environment may hold secrets, which clients must not be told.
  if (/%ENVIRONMENT\(/.test(JSON.stringify(message.format.value ?? "")))
    throw rejection(`${where}format`, "ENVIRONMENT is not supported in what clients get");
  const json = message.format.case === "jsonFormat";
  const contentType = message.contentType === "" ? (json ? "application/json" : "text/plain") : message.contentType;
  if (!/^[\x20-\x7e]+$/.test(contentType)) throw rejection(`${where}content_type`, "is not a header value");
  return { format: readSubstitutionFormat(message, where, ["content_type"]), contentType };
}
