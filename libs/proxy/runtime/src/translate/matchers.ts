import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  type QueryParameterMatcher,
  type RouteMatch as RouteMatchMessage,
  RouteMatchSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { type StringMatcher, StringMatcherSchema } from "@fairlead/envoy-api/envoy/type/matcher/v3/string_pb.js";
import type { HeaderMatch, PathMatch, QueryParameterMatch, RouteMatch, StringMatch } from "@fairlead/proxy-router";
import { runtimeFractionOf } from "./percent.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** @throws FairleadError FL_XDS_REJECTED */
export function readRouteMatch(message: RouteMatchMessage | undefined, where: string): RouteMatch {
  if (message === undefined) throw rejection(where, "is missing");
  refuseOthers(RouteMatchSchema, message, `${where}.`, [
    "prefix",
    "path",
    "safe_regex",
    "path_separated_prefix",
    "connect_matcher",
    "case_sensitive",
    "headers",
    "query_parameters",
    "grpc",
    "runtime_fraction",
  ]);
  return {
    path: readPath(message, where),
    caseSensitive: message.caseSensitive ?? true,
    headers: message.headers.map((header, i) => readHeader(header, `${where}.headers[${i}]`)),
    queryParameters: message.queryParameters.map((query, i) =>
      readQueryParameter(query, `${where}.query_parameters[${i}]`),
    ),
    grpc: message.grpc !== undefined,
    fraction: runtimeFractionOf(message.runtimeFraction, 1),
  };
}

function readPath(message: RouteMatchMessage, where: string): PathMatch {
  const { pathSpecifier } = message;
  switch (pathSpecifier.case) {
    case "prefix":
      return { kind: "prefix", value: pathSpecifier.value };
    case "path":
      return { kind: "path", value: pathSpecifier.value };
    case "pathSeparatedPrefix":
      return { kind: "separatedPrefix", value: pathSpecifier.value };
    case "safeRegex":
      return { kind: "regex", value: pathSpecifier.value.regex };
    case "connectMatcher":
      return { kind: "connect", value: "" };
    default:
      throw rejection(where, "has none of prefix, path, path_separated_prefix, safe_regex, connect_matcher");
  }
}

/** @throws FairleadError FL_XDS_REJECTED */
export function readHeader(message: HeaderMatcher, where: string): HeaderMatch {
  refuseOthers(HeaderMatcherSchema, message, `${where}.`, [
    "name",
    "exact_match",
    "safe_regex_match",
    "range_match",
    "present_match",
    "prefix_match",
    "suffix_match",
    "contains_match",
    "string_match",
    "invert_match",
    "treat_missing_header_as_empty",
  ]);
  return {
    name: message.name.toLowerCase(),
    match: readHeaderMatch(message, where),
    invert: message.invertMatch,
    missingAsEmpty: message.treatMissingHeaderAsEmpty,
  };
}

function readHeaderMatch(message: HeaderMatcher, where: string): HeaderMatch["match"] {
  const { headerMatchSpecifier: match } = message;
  switch (match.case) {
    case "exactMatch":
      return { kind: "exact", value: match.value };
    case "prefixMatch":
      return { kind: "prefix", value: match.value };
    case "suffixMatch":
      return { kind: "suffix", value: match.value };
    case "containsMatch":
      return { kind: "contains", value: match.value };
    case "safeRegexMatch":
      return { kind: "regex", value: match.value.regex };
    case "rangeMatch":
      return { kind: "range", start: Number(match.value.start), end: Number(match.value.end) };
    case "presentMatch":
      return { kind: "present", present: match.value };
    case "stringMatch":
      return readString(match.value, `${where}.string_match`);
    default:
      return { kind: "present", present: true };
  }
}

export function readString(message: StringMatcher, where: string): StringMatch {
  refuseOthers(StringMatcherSchema, message, `${where}.`, [
    "exact",
    "prefix",
    "suffix",
    "contains",
    "safe_regex",
    "ignore_case",
  ]);
  const { matchPattern } = message;
  const { ignoreCase } = message;
  switch (matchPattern.case) {
    case "safeRegex":
      return { kind: "regex", value: matchPattern.value.regex, ignoreCase };
    case "exact":
    case "prefix":
    case "suffix":
    case "contains":
      return { kind: matchPattern.case, value: matchPattern.value, ignoreCase };
    default:
      throw rejection(where, "has no pattern");
  }
}

/** @throws FairleadError FL_XDS_REJECTED */
export function readQueryParameter(message: QueryParameterMatcher, where: string): QueryParameterMatch {
  const { queryParameterMatchSpecifier: match } = message;
  if (match.case === "stringMatch")
    return { name: message.name, match: readString(match.value, `${where}.string_match`) };
  return { name: message.name, match: { kind: "present", present: match.case !== "presentMatch" || match.value } };
}
