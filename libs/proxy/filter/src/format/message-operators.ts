import { isGrpc } from "@fairlead/proxy-router";
import type { HeaderMap } from "@fairlead/proxy-stream";
import type { StreamInfo } from "../stream-info.ts";
import { grpcStatusOf, grpcStatusText } from "./grpc-status.ts";
import { type Operator, type OperatorFactory, orNothing, plain, withArgument } from "./operator.ts";

type Get = (info: StreamInfo, name: string) => string | undefined;

/** `a?b`: the first, or the second where that is missing. */
const header = (get: Get): OperatorFactory =>
  withArgument((argument) => {
    const [first = "", second, ...more] = argument.toLowerCase().split("?");
    if (first === "" || more.length > 0) return undefined;
    if (second === undefined) return (info) => get(info, first);
    return (info) => get(info, first) ?? get(info, second);
  });

const ofMap = (headers: HeaderMap | undefined, name: string): string | undefined => headers?.getJoined(name);

const requestHeader: Get = ({ request }, name) => {
  switch (name) {
    case ":authority":
      return request?.authority;
    case ":path":
      return request?.path;
    case ":method":
      return request?.method;
    case ":scheme":
      return request?.scheme;
    default:
      return ofMap(request?.headers, name);
  }
};

const responseHeader: Get = (info, name) =>
  name === ":status" ? orNothing(String(info.status || "")) : ofMap(info.response?.headers, name);

/** Where a route has rewritten the path, the client's is in this header. */
const originalPath: Operator = (info) => requestHeader(info, "x-envoy-original-path");
const sentPath: Operator = ({ request }) => request?.path;

const paths: Readonly<Record<string, Operator>> = {
  ORIG: originalPath,
  PATH: sentPath,
  ORIG_OR_PATH: (info) => originalPath(info) ?? sentPath(info),
};

/** `PATH(WQ|NQ:ORIG|PATH|ORIG_OR_PATH)` */
const path: OperatorFactory = (argument = "") => {
  const [query = "", which = "", ...more] = argument.split(":");
  const get = paths[which === "" ? "ORIG_OR_PATH" : which];
  if (get === undefined || more.length > 0) return undefined;
  if (query === "" || query === "WQ") return get;
  return query === "NQ" ? (info) => orNothing(String(get(info) ?? "").split("?", 1)[0]) : undefined;
};

const queryParameter = withArgument((name) => (name === "" ? undefined : (info) => queryValue(info, name)));

function queryValue(info: StreamInfo, name: string): string | undefined {
  const target = String(paths["ORIG_OR_PATH"]?.(info) ?? "");
  const at = target.indexOf("?");
  return at === -1 ? undefined : (new URLSearchParams(target.slice(at + 1)).get(name) ?? undefined);
}

const grpcFormats = new Set([undefined, "CAMEL_STRING", "SNAKE_STRING", "NUMBER"]);
const grpcStatus: OperatorFactory = (format) => {
  if (!grpcFormats.has(format)) return undefined;
  return (info) => {
    const status = grpcNumber(info);
    return status === undefined || format === "NUMBER" ? status : grpcStatusText(status, format === "SNAKE_STRING");
  };
};
const grpcNumber = (info: StreamInfo): number | undefined =>
  info.request !== undefined && isGrpc(info.request)
    ? grpcStatusOf(info.trailers?.get("grpc-status") ?? info.response?.headers.get("grpc-status"))
    : undefined;

const trailer = header((info, name) => ofMap(info.trailers, name));
const request = header(requestHeader);
const response = header(responseHeader);

export const messageOperators: Readonly<Record<string, OperatorFactory>> = {
  REQ: request,
  REQUEST_HEADER: request,
  RESP: response,
  RESPONSE_HEADER: response,
  TRAILER: trailer,
  RESPONSE_TRAILER: trailer,
  PATH: path,
  QUERY_PARAM: queryParameter,
  GRPC_STATUS: grpcStatus,
  GRPC_STATUS_NUMBER: plain(grpcNumber),
  LOCAL_REPLY_BODY: plain((info) => info.localBody),
  TRACE_ID: plain((info) => traceId(requestHeader(info, "traceparent"))),
};

/** W3C Trace Context §3.2: version-traceid-parentid-flags. */
function traceId(traceparent: string | undefined): string | undefined {
  const id = traceparent?.split("-")[1];
  return id !== undefined && /^[0-9a-f]{32}$/.test(id) ? id : undefined;
}
