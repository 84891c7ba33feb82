import assert from "node:assert/strict";
import { createServer } from "node:http2";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { HealthCheckSchema } from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import { listen, until } from "@fairlead/testing-basics";
import { type handleUnaryCall, status } from "@grpc/grpc-js";
import { GrpcBackend } from "../testing/grpc-peers.ts";
import { http2Cluster } from "../testing/http2-cluster.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration } from "../testing/resources.ts";

const same = (bytes: Buffer): Buffer => bytes;
/** grpc.health.v1.Health, in bytes. */
const healthService = {
  check: {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
};

/** HealthCheckResponse.ServingStatus; UNKNOWN is 0, which has no bytes. */
const answers = { unknown: [], serving: [8, 1], "not serving": [8, 2] } as const;

function check(serviceName = "", timeoutMs = 1000) {
  return create(HealthCheckSchema, {
    timeout: duration(timeoutMs),
    interval: duration(20),
    noTrafficInterval: duration(20),
    unhealthyThreshold: 3,
    healthyThreshold: 1,
    healthChecker: { case: "grpcHealthCheck", value: { serviceName } },
  });
}

test("a gRPC server is chosen while it says that its service is serving", async () => {
  await using backend = await GrpcBackend.start({});
  let answer: keyof typeof answers | "not known" = "serving";
  const asked = new Set<string>();
  const handle: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
    asked.add(`${call.getHost()} ${call.request.toString("utf8", 2)}`);
    if (answer === "not known") callback({ code: status.NOT_FOUND });
    else callback(null, Buffer.from(answers[answer]));
  };
  backend.server.addService(healthService, { check: handle });
  await using proxy = await TestProxy.start({
    clusters: [http2Cluster("a", [backend.port], { healthChecks: [check("shop.Orders")] })],
  });
  const healthy = (): number => proxy.stat("cluster.a.membership_healthy");
  await until("the first check", () => healthy() === 1);
  for (const bad of ["not serving", "unknown", "not known"] as const) {
    const before = proxy.stat("cluster.a.health_check.failure");
    answer = bad;
    await until(bad, () => healthy() === 0);
    assert.equal(proxy.stat("cluster.a.health_check.failure"), before + 1, "one answer is enough");
    answer = "serving";
    await until("its return", () => healthy() === 1);
  }
  assert.deepEqual(asked, new Set(["a shop.Orders"]));
  assert.equal(proxy.stat("cluster.a.upstream_cx_total"), 0);
  assert.equal(proxy.stat("cluster.a.health_check.network_failure"), 0);
});

test("the server's health as a whole is asked for without a name", async () => {
  await using backend = await GrpcBackend.start({});
  const sizes: number[] = [];
  const handle: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
    sizes.push(call.request.length);
    callback(null, Buffer.from(answers.serving));
  };
  backend.server.addService(healthService, { check: handle });
  await using proxy = await TestProxy.start({
    clusters: [http2Cluster("a", [backend.port], { healthChecks: [check()] })],
  });
  await until("the check", () => proxy.stat("cluster.a.membership_healthy") === 1);
  assert.equal(sizes[0], 0);
});

test("a service's name may be long", async () => {
  await using backend = await GrpcBackend.start({});
  const name = `shop.${"ö".repeat(150)}`;
  const asked: string[] = [];
  const handle: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
    asked.push(call.request.toString("utf8", 3));
    callback(null, Buffer.from(answers.serving));
  };
  backend.server.addService(healthService, { check: handle });
  await using proxy = await TestProxy.start({
    clusters: [http2Cluster("a", [backend.port], { healthChecks: [check(name)] })],
  });
  await until("the check", () => asked.length > 0 && proxy.stat("cluster.a.membership_healthy") === 1);
  assert.equal(asked[0], name);
});

test("a check that is not answered is asked again over another connection: that one may be dead", async () => {
  const sessions = new Set<unknown>();
  const served: unknown[] = [];
  const server = createServer((_request, response) => {
    const { session } = response.stream;
    sessions.add(session);
    served.push(session);
    // The first connection answers once, and never again.
    if (sessions.size === 1 && served.length > 1) return;
    response.addTrailers({ "grpc-status": "0" });
    response.end(Buffer.from([0, 0, 0, 0, 2, ...answers.serving]));
  });
  const port = await listen(server);
  await using closing = new AsyncDisposableStack();
  closing.defer(() => void server.close());
  await using proxy = await TestProxy.start({
    clusters: [http2Cluster("a", [port], { healthChecks: [check("", 200)] })],
  });
  const failures = (): number => proxy.stat("cluster.a.health_check.network_failure");
  await until("a failure", () => failures() === 1);
  await until("two answers", () => served.length >= 4);
  assert.equal(sessions.size, 2);
  assert.deepEqual([failures(), proxy.stat("cluster.a.membership_healthy")], [1, 1]);
});
