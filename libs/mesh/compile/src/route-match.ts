import { create } from "@bufbuild/protobuf";
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  type QueryParameterMatcher,
  QueryParameterMatcherSchema,
  type RouteMatch,
  RouteMatchSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type { HttpMatch, StringMatch } from "@fairlead/policy";
import { compareText } from "./compare-text.ts";
import { stringMatcher } from "./string-matcher.ts";

/** The port of a Host that names none. */
const defaultPort = 80;

function headerMatcher(name: string, match: StringMatch, invert: boolean): HeaderMatcher {
  const headerMatchSpecifier =
    match.kind === "present"
      ? { case: "presentMatch" as const, value: true }
      : { case: "stringMatch" as const, value: stringMatcher(match) };
  // "Without" is true of a request that lacks the header.
  return create(HeaderMatcherSchema, {
    name: name.toLowerCase(),
    headerMatchSpecifier,
    invertMatch: invert,
    treatMissingHeaderAsEmpty: invert && match.kind !== "present",
  });
}

/** A sidecar has one port for all services: which one a call is for is in its Host. */
export function authorityPortMatcher(port: number): HeaderMatcher {
  const regex = port === defaultPort ? `[^:]*(:${port})?` : `.*:${port}`;
  return headerMatcher(":authority", { kind: "regex", value: regex }, false);
}

const pseudoHeaders = [
  ["method", ":method"],
  ["authority", ":authority"],
  ["scheme", ":scheme"],
] as const;

function headerMatchers(match: HttpMatch): HeaderMatcher[] {
  const sorted = (headers: Readonly<Record<string, StringMatch>>) =>
    Object.entries(headers).toSorted(([a], [b]) => compareText(a, b));
  return [
    ...pseudoHeaders.flatMap(([field, name]) => {
      const given = match[field];
      return given === undefined ? [] : [headerMatcher(name, given, false)];
    }),
    ...(match.port === undefined ? [] : [authorityPortMatcher(match.port)]),
    ...sorted(match.headers).map(([name, value]) => headerMatcher(name, value, false)),
    ...sorted(match.withoutHeaders).map(([name, value]) => headerMatcher(name, value, true)),
  ];
}

function queryMatchers(match: HttpMatch): QueryParameterMatcher[] {
  return Object.entries(match.queryParams)
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([name, value]) =>
      create(QueryParameterMatcherSchema, {
        name,
        queryParameterMatchSpecifier:
          value.kind === "present"
            ? { case: "presentMatch", value: true }
            : { case: "stringMatch", value: stringMatcher(value) },
      }),
    );
}

function pathSpecifier(uri: StringMatch | undefined) {
  switch (uri?.kind) {
    case "exact":
      return { case: "path" as const, value: uri.value };
    case "prefix":
      return { case: "prefix" as const, value: uri.value };
    case "regex":
      return { case: "safeRegex" as const, value: { regex: uri.value } };
    default:
      return { case: "prefix" as const, value: "/" };
  }
}

/** @param match of one alternative; undefined = all calls. A gateway's listener has the port already: its `port` is left out before. */
export function routeMatch(match: HttpMatch | undefined): RouteMatch {
  return create(RouteMatchSchema, {
    pathSpecifier: pathSpecifier(match?.uri),
    ...(match?.ignoreUriCase === true ? { caseSensitive: false } : {}),
    headers: match === undefined ? [] : headerMatchers(match),
    queryParameters: match === undefined ? [] : queryMatchers(match),
  });
}
