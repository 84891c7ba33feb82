import type { RequestHead } from "@fairlead/proxy-stream";
import { fullMatch } from "./linear-regex.ts";
import { MatchTooLong } from "./regex/bounded-match.ts";
import type { HeaderMatch, QueryParameterMatch, RouteMatch, StringMatch } from "./route-match.ts";

/**
 * @param path of the head, without its query
 * @param random uniform in [0, 1); for routes that take a share of the requests
 */
export type RequestTest = (head: RequestHead, path: string, random: () => number) => boolean;
export type HeaderTest = (head: Pick<RequestHead, "headers">) => boolean;

/**
 * One function for all conditions of a route; the cheap ones come first.
 *
 * @throws FairleadError FL_ROUTE_INVALID
 */
export function compileMatch(match: RouteMatch, where: string): RequestTest {
  const { fraction = 1 } = match;
  const tests: RequestTest[] = [
    compilePath(match, `${where}.match`),
    ...(match.headers ?? []).map((header, i) => compileHeader(header, `${where}.match.headers[${i}]`)),
    ...compileQuery(match.queryParameters ?? [], `${where}.match.query_parameters`),
    ...(match.grpc === true ? [isGrpc] : []),
    ...(fraction < 1 ? [(_head: RequestHead, _path: string, random: () => number) => random() < fraction] : []),
  ];
  const [first] = tests;
  if (tests.length === 1 && first !== undefined) return first;
  return (head, path, random) => {
    for (const test of tests) if (!test(head, path, random)) return false;
    return true;
  };
}

/** `application/grpc`, alone or with a format (`+proto`): not grpc-web. */
export function isGrpc(head: Pick<RequestHead, "headers">): boolean {
  const type = head.headers.get("content-type") ?? "";
  return type.startsWith("application/grpc") && (type.length === 16 || type[16] === "+");
}

const always: RequestTest = () => true;

function compilePath(match: RouteMatch, where: string): RequestTest {
  const { kind, value } = match.path;
  if (kind === "connect") return (head) => head.upgrade === "connect";
  if (kind === "prefix" && (value === "/" || value === "")) return always;
  const fold = match.caseSensitive === false;
  if (kind === "regex") {
    const matches = fullMatch(value, fold, `${where}.safe_regex`);
    return (_head, path) => matches(path);
  }
  const wanted = fold ? value.toLowerCase() : value;
  const of = fold ? inLowerCase : (path: string): string => path;
  if (kind === "path") return (_head, path) => of(path) === wanted;
  if (kind === "prefix") return (_head, path) => of(path).startsWith(wanted);
  return (_head, path) => {
    const text = of(path);
    return text.startsWith(wanted) && (text.length === wanted.length || text.charCodeAt(wanted.length) === 47);
  };
}

let lastPath = "";
let lastInLowerCase = "";

/** All routes of a table ask for the same path, one after the other: a long one would take longer than all they do with it. */
function inLowerCase(path: string): string {
  if (path !== lastPath) {
    lastPath = path;
    lastInLowerCase = path.toLowerCase();
  }
  return lastInLowerCase;
}

/** @throws FairleadError FL_ROUTE_INVALID */
export function compileString(match: StringMatch, where: string): (text: string) => boolean {
  if (match.kind === "regex") return fullMatch(match.value, match.ignoreCase === true, where);
  const fold = match.ignoreCase === true;
  const wanted = fold ? match.value.toLowerCase() : match.value;
  const of = (text: string): string => (fold ? text.toLowerCase() : text);
  switch (match.kind) {
    case "exact":
      return (text) => of(text) === wanted;
    case "prefix":
      return (text) => of(text).startsWith(wanted);
    case "suffix":
      return (text) => of(text).endsWith(wanted);
    default:
      return (text) => of(text).includes(wanted);
  }
}

/** @throws FairleadError FL_ROUTE_INVALID */
export function compileHeader(header: HeaderMatch, where: string): HeaderTest {
  const { name, match, missingAsEmpty } = header;
  const invert = header.invert === true;
  if (match.kind === "present") {
    const wanted = match.present !== invert;
    return (head) => (valueOf(head, name) !== undefined) === wanted;
  }
  const test =
    match.kind === "range"
      ? (text: string): boolean =>
          /^[+-]?\d{1,19}$/.test(text) && Number(text) >= match.start && Number(text) < match.end
      : asHeader(compileString(match, where));
  return (head) => {
    const value = valueOf(head, name) ?? (missingAsEmpty === true ? "" : undefined);
    return value !== undefined && test(value) !== invert;
  };
}

/** It is not the path that is too long. */
function asHeader(test: (text: string) => boolean): (text: string) => boolean {
  return (text) => {
    try {
      return test(text);
    } catch (error) {
      throw error instanceof MatchTooLong ? new MatchTooLong(431) : error;
    }
  };
}

function valueOf(head: Pick<RequestHead, "headers"> & Partial<RequestHead>, name: string): string | undefined {
  if (name.charCodeAt(0) !== 58) return head.headers.getJoined(name);
  switch (name) {
    case ":method":
      return head.method;
    case ":path":
      return head.path;
    case ":authority":
      return head.authority;
    default:
      return name === ":scheme" ? head.scheme : undefined;
  }
}

/** @returns one test for all of them; none where there are none. @throws FairleadError FL_ROUTE_INVALID */
export function compileQuery(
  parameters: readonly QueryParameterMatch[],
  where: string,
): ((head: Pick<RequestHead, "path">) => boolean)[] {
  if (parameters.length === 0) return [];
  const tests = parameters.map((parameter, i) => {
    const { match } = parameter;
    const test = match.kind === "present" ? undefined : compileString(match, `${where}[${i}]`);
    const wanted = match.kind !== "present" || match.present;
    return (query: ReadonlyMap<string, string>): boolean => {
      const value = query.get(parameter.name);
      return test === undefined ? (value !== undefined) === wanted : value !== undefined && test(value);
    };
  });
  return [(head) => {
    const query = readQuery(head.path);
    return tests.every((test) => test(query));
  }]; // prettier-ignore
}

/** As it is written, not decoded; the first of equal names counts. */
function readQuery(path: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  const start = path.indexOf("?");
  if (start === -1) return query;
  for (const part of path.slice(start + 1).split("&")) {
    const equals = part.indexOf("=");
    const name = equals === -1 ? part : part.slice(0, equals);
    if (!query.has(name)) query.set(name, equals === -1 ? "" : part.slice(equals + 1));
  }
  return query;
}
