import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type RetryCondition,
  retryDefaults,
  type RetryPolicy,
  type RouteAction,
  RouteTable,
} from "@fairlead/proxy-router";
import { HeaderMap, type ResetReason } from "@fairlead/proxy-stream";
import { backOffMs, retriesReset, retriesResponse } from "./retry-decision.ts";

function policy(...on: RetryCondition[]): RetryPolicy {
  return {
    ...retryDefaults,
    on: new Set(on),
    statusCodes: [418],
    headers: [{ name: "again", match: { kind: "present", present: true } }],
  };
}

const responses: readonly (readonly [RetryCondition, status: number, headers: readonly string[], retries: boolean])[] =
  [
    ["5xx", 500, [], true],
    ["5xx", 499, [], false],
    ["5xx", 503, ["x-envoy-overloaded", "true"], false],
    ["5xx", 503, ["x-envoy-ratelimited", "true"], false],
    ["envoy-ratelimited", 429, ["x-envoy-ratelimited", "true"], true],
    ["gateway-error", 502, [], true],
    ["gateway-error", 500, [], false],
    ["retriable-4xx", 409, [], true],
    ["retriable-4xx", 404, [], false],
    ["retriable-status-codes", 418, [], true],
    ["retriable-status-codes", 419, [], false],
    ["retriable-headers", 200, ["again", ""], true],
    ["unavailable", 200, ["grpc-status", "14"], true],
    ["unavailable", 200, ["grpc-status", "13"], false],
    ["cancelled", 200, ["grpc-status", "1"], true],
    ["connect-failure", 503, [], false],
  ];

test("a host that has not begun with a request is as good as a stream that was refused", () => {
  const match = { path: { kind: "prefix", value: "/" } } as const;
  for (const condition of ["refused-stream", "connect-failure"] as const) {
    const retry = policy(condition);
    const action: RouteAction = { kind: "forward", clusters: [{ name: "c", weight: 1 }], timeoutMs: 0, clusterNotFoundStatus: 503, retry }; // prettier-ignore
    const table = new RouteTable({ name: "t", virtualHosts: [{ name: "v", domains: ["*"], routes: [{ name: "r", match, action }] }] }); // prettier-ignore
    const entry = table.find({ method: "GET", path: "/", authority: "a", scheme: "http", headers: new HeaderMap() })!;
    const verdict = retriesResponse(entry, retry, { status: 404, headers: new HeaderMap(), refused: true });
    assert.equal(verdict, condition === "refused-stream");
  }
});

test("responses are retried as retry_on says", () => {
  for (const [condition, status, headers, expected] of responses) {
    const retry = policy(condition);
    const action: RouteAction = {
      kind: "forward",
      clusters: [{ name: "c", weight: 1 }],
      timeoutMs: 0,
      clusterNotFoundStatus: 503,
      retry,
    };
    const route = { name: "r", match: { path: { kind: "prefix", value: "/" } }, action } as const;
    const table = new RouteTable({ name: "t", virtualHosts: [{ name: "v", domains: ["*"], routes: [route] }] });
    const entry = table.find({ method: "GET", path: "/", authority: "a", scheme: "http", headers: new HeaderMap() });
    assert(entry !== undefined);
    const verdict = retriesResponse(entry, retry, { status, headers: new HeaderMap([...headers]) });
    assert.equal(verdict, expected, `${condition} ${status} ${headers.join()}`);
  }
});

const resets: readonly (readonly [RetryCondition, ResetReason, sent: boolean, retries: boolean])[] = [
  ["5xx", "connection termination", true, true],
  ["gateway-error", "remote connection failure", false, true],
  ["reset", "protocol error", true, true],
  ["5xx", "overflow", false, false],
  ["reset", "overflow", false, false],
  ["reset-before-request", "remote connection failure", false, true],
  ["reset-before-request", "connection termination", true, false],
  ["connect-failure", "connection timeout", false, true],
  ["connect-failure", "connection termination", true, false],
  ["retriable-4xx", "connection termination", true, false],
];

test("resets are retried as retry_on says, an overflow never", () => {
  for (const [condition, reason, sent, expected] of resets) {
    assert.equal(retriesReset(policy(condition), reason, sent), expected, `${condition} ${reason}`);
  }
});

test("the back-off doubles up to its maximum and is jittered from 0", () => {
  const almost = (): number => 0.999;
  assert.deepEqual(
    [1, 2, 3, 4, 5, 20].map((n) => Math.ceil(backOffMs(policy(), n, almost))),
    [25, 50, 100, 200, 250, 250],
  );
  assert.equal(
    backOffMs(policy(), 3, () => 0),
    0,
  );
});
