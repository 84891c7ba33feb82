import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  type AccessLog,
  AccessLogFilterSchema,
  ComparisonFilter_Op as Op,
  GrpcStatusFilter_Status as Grpc,
} from "@fairlead/envoy-api/envoy/config/accesslog/v3/accesslog_pb.js";
import { HealthCheckSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/health_check/v3/health_check_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { LoggedLines } from "../testing/access-logs.ts";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

type FilterInit = MessageInitShape<typeof AccessLogFilterSchema>["filterSpecifier"];

const filter = <Desc extends DescMessage>(name: string, schema: Desc, init: MessageInitShape<Desc>) => ({
  name,
  configType: { case: "typedConfig" as const, value: anyPack(schema, create(schema, init)) },
});
const httpFilters = [
  filter("health", HealthCheckSchema, {
    passThroughMode: false,
    headers: [{ name: ":path", headerMatchSpecifier: { case: "exactMatch", value: "/healthz" } }],
  }),
  filter("router", RouterSchema, {}),
];

/** Requests that differ in what filters ask for. */
const requests: readonly { readonly path: string; readonly headers?: Record<string, string> }[] = [
  { path: "/fast" },
  { path: "/slow" },
  { path: "/healthz" },
  ...["0", "14", "5"].map((status) => ({
    path: `/grpc-${status}`,
    headers: { "content-type": "application/grpc", "x-grpc": status },
  })),
];
const http = ["/fast", "/slow"];
const calls = ["/grpc-0", "/grpc-14", "/grpc-5"];

const compared = (op: Op, defaultValue: number) => ({ comparison: { op, value: { defaultValue, runtimeKey: "k" } } });
const duration = (op: Op, ms: number): FilterInit => ({ case: "durationFilter", value: compared(op, ms) });
const status = (op: Op, code: number): FilterInit => ({ case: "statusCodeFilter", value: compared(op, code) });
const sampled = (numerator: number): FilterInit => ({
  case: "runtimeFilter",
  value: { runtimeKey: "k", percentSampled: { numerator } },
});
const grpc = (statuses: Grpc[], exclude = false): FilterInit => ({
  case: "grpcStatusFilter",
  value: { statuses, exclude },
});

const cases: readonly (readonly [FilterInit, logged: readonly string[]])[] = [
  [duration(Op.GE, 490), ["/slow"]],
  [duration(Op.LE, 489), ["/fast", "/healthz", ...calls]],
  [status(Op.EQ, 200), ["/fast", "/healthz", ...calls]],
  [status(Op.GE, 201), ["/slow"]],
  [sampled(0), []],
  [sampled(100), [...http, "/healthz", ...calls]],
  [grpc([Grpc.UNAVAILABLE, Grpc.OK]), ["/grpc-0", "/grpc-14"]],
  [grpc([Grpc.NOT_FOUND]), ["/grpc-5"]],
  [grpc([Grpc.NOT_FOUND, Grpc.UNKNOWN], true), ["/grpc-0", "/grpc-14"]],
  [grpc([Grpc.UNKNOWN]), [...http, "/healthz"]],
  [{ case: "notHealthCheckFilter", value: {} }, [...http, ...calls]],
];

test("each filter of an access log lets its own requests through", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    const answer = (code: number): void => void response.writeHead(code).end();
    if (request.headers["x-grpc"] !== undefined) response.setHeader("grpc-status", request.headers["x-grpc"]);
    if (request.url === "/slow") setTimeout(() => answer(202), 500);
    else answer(200);
  });
  const logs = await Promise.all(cases.map(() => LoggedLines.start()));
  const accessLog = cases.map(([filterSpecifier], i): AccessLog => {
    const log = logs[i]!.text("%REQ(:PATH)%");
    log.filter = create(AccessLogFilterSchema, { filterSpecifier: filterSpecifier! });
    return log;
  });
  const proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, { accessLog, httpFilters })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  for (const { path, headers = {} } of requests) await call(proxy.port("in"), { path, headers });
  await proxy.runtime.close();
  for (const [i, [filterSpecifier, logged]] of cases.entries()) {
    await using lines = logs[i]!;
    // A log that nothing was written to is no file.
    const written = logged.length === 0 ? lines.read().catch(() => []) : lines.read();
    assert.deepEqual(await written, logged, JSON.stringify(filterSpecifier));
  }
});
