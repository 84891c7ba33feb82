import type { Duration } from "@bufbuild/protobuf/wkt";
import type { SocketAddress } from "@fairlead/envoy-api/envoy/config/core/v3/address_pb.js";
import type { HeaderValueOption } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import type { RegexMatcher } from "@fairlead/envoy-api/envoy/type/matcher/v3/regex_pb.js";
import type { FractionalPercent, Percent } from "@fairlead/envoy-api/envoy/type/v3/percent_pb.js";
import { regexProblem } from "@fairlead/policy";
import type { MessageCheck } from "./walk.ts";

const maxPort = 65_535;
/** Of protobuf's Duration: about 10,000 years. */
const maxDurationSeconds = 315_576_000_000n;
/** RFC 9110 §5.1, or one of HTTP/2's own. */
const headerNamePattern = /^:?[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What would end a header line, or the header. */
const badInValue = /[\0\r\n]/;

/** @param what it is the name of. @returns the broken rule */
export function* headerNameProblem(name: string, what: string): Generator<string> {
  if (!headerNamePattern.test(name)) yield `${what} ${JSON.stringify(name)} is no header name`;
}

/** Headers that no route may change: the request would go elsewhere, or not be one any more. */
export function* changedHeaderProblem(name: string): Generator<string> {
  yield* headerNameProblem(name, "the header");
  if (name.startsWith(":") || name.toLowerCase() === "host") yield `${JSON.stringify(name)} may not be changed`;
}

export function* headerValueProblem(value: string): Generator<string> {
  if (badInValue.test(value)) yield `the value ${JSON.stringify(value)} has a line break or a zero in it`;
}

function* duration({ seconds, nanos }: Duration): Generator<string> {
  if (seconds > maxDurationSeconds || seconds < 0n) yield `${seconds} s is no duration that a proxy takes`;
  if (nanos < 0 || nanos > 999_999_999) yield `${nanos} ns are no part of a second`;
}

const checkedPatterns = new Map<string, string | undefined>();
/** Beyond this the oldest are forgotten. */
const maxPatterns = 10_000;

function problemOfPattern(pattern: string): string | undefined {
  if (checkedPatterns.has(pattern)) return checkedPatterns.get(pattern);
  const problem = regexProblem(pattern);
  const [oldest] = checkedPatterns.keys();
  if (checkedPatterns.size >= maxPatterns && oldest !== undefined) checkedPatterns.delete(oldest);
  checkedPatterns.set(pattern, problem);
  return problem;
}

function* regex({ regex: pattern }: RegexMatcher): Generator<string> {
  if (pattern === "") yield "the pattern is empty";
  const problem = problemOfPattern(pattern);
  if (problem !== undefined) yield `RE2 does not take ${JSON.stringify(pattern)}: ${problem}`;
}

function* percent({ value }: Percent): Generator<string> {
  if (!(value >= 0 && value <= 100)) yield `${value} is no percentage`;
}

const denominators = [100, 10_000, 1_000_000];

function* fraction({ numerator, denominator }: FractionalPercent): Generator<string> {
  if (numerator > denominators[denominator]!) yield `${numerator} of ${denominators[denominator]} is more than all`;
}

function* socketAddress({ address, portSpecifier }: SocketAddress): Generator<string> {
  if (address === "") yield "the address is empty";
  if (portSpecifier.case === undefined) yield "there is no port";
  if (portSpecifier.case === "portValue" && portSpecifier.value > maxPort) yield `${portSpecifier.value} is no port`;
}

function* headerValueOption({ header }: HeaderValueOption): Generator<string> {
  if (header === undefined) return yield "there is no header";
  yield* changedHeaderProblem(header.key);
  yield* headerValueProblem(header.value);
}

export const commonChecks: readonly (readonly [string, MessageCheck])[] = [
  ["google.protobuf.Duration", duration],
  ["envoy.type.matcher.v3.RegexMatcher", regex],
  ["envoy.type.v3.Percent", percent],
  ["envoy.type.v3.FractionalPercent", fraction],
  ["envoy.config.core.v3.SocketAddress", socketAddress],
  ["envoy.config.core.v3.HeaderValueOption", headerValueOption],
];
