import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Cluster_DiscoveryType } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { PreviousPrioritiesConfigSchema } from "@fairlead/envoy-api/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import {
  assignmentInit,
  cluster,
  duration,
  listener,
  type RouteActionInit,
  routes,
  staticCluster,
  toCluster,
} from "../testing/resources.ts";

type RetryInit = NonNullable<RouteActionInit["retryPolicy"]>;

test("statuses and headers that a route retries on are retried, others are not", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    response
      .writeHead(Number(request.headers["x-status"] ?? 200), { "x-state": request.headers["x-state"] ?? "" })
      .end();
  });
  const state = (value: string) => ({
    name: "X-State",
    headerMatchSpecifier: {
      case: "stringMatch" as const,
      value: { matchPattern: { case: "exact" as const, value } },
    },
  });
  const retriableStatusCodes = [404, 418];
  const retriableHeaders = [state("busy"), state("later")];
  const both = { retriableStatusCodes, retriableHeaders };
  const cases: readonly (readonly [RetryInit, headers: Record<string, string>, attempts: number])[] = [
    [{ retryOn: "retriable-status-codes", retriableStatusCodes }, { "x-status": "418" }, 2],
    [{ retryOn: "retriable-status-codes", retriableStatusCodes }, { "x-status": "404" }, 2],
    [{ retryOn: "retriable-status-codes", retriableStatusCodes }, { "x-status": "500" }, 1],
    [{ retryOn: "retriable-status-codes", ...both }, { "x-state": "busy" }, 1],
    [{ retryOn: "retriable-headers", retriableHeaders }, { "x-state": "later" }, 2],
    [{ retryOn: "retriable-headers", retriableHeaders }, { "x-state": "fine" }, 1],
    [{ retryOn: "retriable-headers", ...both }, { "x-status": "418" }, 1],
    [{ retryOn: "5xx", ...both }, { "x-status": "418", "x-state": "busy" }, 1],
  ];
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in")],
  });
  for (const [retryPolicy, headers, attempts] of cases) {
    assert.deepEqual(await proxy.apply({ routes: [routes("in", toCluster("*", "a", { retryPolicy }))] }), []);
    const asked = backend.requests;
    await call(proxy.port("in"), { headers });
    assert.equal(backend.requests - asked, attempts, JSON.stringify({ retryPolicy, headers }));
  }
});

test("previous_priorities has a retry go to a priority that has not been tried", async () => {
  const named = (name: string, status: number) =>
    Backend.start((request, response) => {
      request.resume();
      response.writeHead(status).end(name);
    });
  await using first = await named("first", 503);
  await using second = await named("second", 200);
  const [of0, of1] = [first, second].map(({ port }) =>
    create(ClusterLoadAssignmentSchema, assignmentInit("a", [port])),
  );
  const loadAssignment = {
    clusterName: "a",
    endpoints: [of0, of1].map((assignment, priority) => ({
      lbEndpoints: assignment?.endpoints[0]?.lbEndpoints ?? [],
      priority,
    })),
  };
  const config = anyPack(
    PreviousPrioritiesConfigSchema,
    create(PreviousPrioritiesConfigSchema, { updateFrequency: 1 }),
  );
  const retryPriority = { name: "previous_priorities", configType: { case: "typedConfig" as const, value: config } };
  for (const [more, expected] of [
    [{ retryPriority }, [200, "second"]],
    [{}, [503, "first"]],
  ] as const) {
    const retryPolicy = { retryOn: "5xx", numRetries: 1, ...more };
    await using proxy = await TestProxy.start({
      clusters: [
        cluster("a", {
          clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
          edsClusterConfig: undefined,
          loadAssignment,
        }),
      ],
      listeners: [listener("in", 0)],
      routes: [routes("in", toCluster("*", "a", { retryPolicy }))],
    });
    const { status, body } = await call(proxy.port("in"));
    assert.deepEqual([status, body], expected);
  }
});

test("grpc_timeout_header_offset has the proxy give up before its client does", async () => {
  await using silent = await Backend.start((request) => request.resume());
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [silent.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in")],
  });
  const tookMs = async (maxStreamDuration: RouteActionInit["maxStreamDuration"]): Promise<number> => {
    const route = toCluster("*", "a", { maxStreamDuration, timeout: duration(0) });
    assert.deepEqual(await proxy.apply({ routes: [routes("in", route)] }), []);
    const headers = { "content-type": "application/grpc", "grpc-timeout": "5S" };
    const began = performance.now();
    const answer = await call(proxy.port("in"), { agent: false, method: "POST", headers });
    assert.deepEqual([answer.status, answer.headers["grpc-status"]], [200, "4"]);
    return performance.now() - began;
  };
  const early = await tookMs({ grpcTimeoutHeaderMax: duration(0), grpcTimeoutHeaderOffset: duration(4900) });
  assert(early >= 99 && early < 2000, `${early}`);
  const capped = await tookMs({ grpcTimeoutHeaderMax: duration(300), grpcTimeoutHeaderOffset: duration(200) });
  assert(capped >= 99 && capped < 2000, `${capped}`);
});
