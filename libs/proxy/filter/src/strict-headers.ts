import { retryConditions } from "@fairlead/proxy-router";
import type { HeaderMap } from "@fairlead/proxy-stream";
import type { LocalReply } from "./local-reply.ts";

const isNumber = (value: string): boolean => /^\d{1,18}$/.test(value);
const known: ReadonlySet<string> = new Set(retryConditions);
const areConditions = (value: string): boolean => value.split(",").every((word) => known.has(word.trim()));

/** What a listener may want to be sure of, and how (Envoy's strict_check_headers). */
export const strictChecks: ReadonlyMap<string, (value: string) => boolean> = new Map([
  ["x-envoy-upstream-rq-timeout-ms", isNumber],
  ["x-envoy-upstream-rq-per-try-timeout-ms", isNumber],
  ["x-envoy-max-retries", isNumber],
  ["x-envoy-retry-on", areConditions],
  ["x-envoy-retry-grpc-on", areConditions],
]);

/** @returns an answer to a request that asks for what cannot be done; else it would not be heard, and nobody told */
export function checkStrictly(headers: HeaderMap, names: readonly string[]): LocalReply | undefined {
  for (const name of names) {
    const value = headers.get(name);
    if (value === undefined || strictChecks.get(name)?.(value) !== false) continue;
    return {
      status: 400,
      body: `invalid header '${name}' with value '${value}'`,
      details: "request_headers_failed_strict_check",
      flag: "IH",
    };
  }
  return undefined;
}
