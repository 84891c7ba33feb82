import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Cluster_DiscoveryType } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { FileAccessLogSchema } from "@fairlead/envoy-api/envoy/extensions/access_loggers/file/v3/file_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend } from "./testing/backend.ts";
import { call, to } from "./testing/client.ts";
import { TestProxy } from "./testing/proxy.ts";
import { assignmentInit, cluster, listener, routes, toCluster } from "./testing/resources.ts";

test("clusters and listeners are counted under the names that they want for that", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stat-names-"));
  const path = join(folder, "access.log");
  const log = create(FileAccessLogSchema, {
    path,
    accessLogFormat: { case: "format", value: "%UPSTREAM_CLUSTER% %UPSTREAM_CLUSTER_RAW%\n" },
  });
  await using backend = await Backend.named("b");
  const of = (name: string) =>
    cluster(name, {
      altStatName: "shop:all",
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
      edsClusterConfig: undefined,
      loadAssignment: assignmentInit(name, [backend.port]),
    });
  const accessLog = [{ configType: { case: "typedConfig" as const, value: anyPack(FileAccessLogSchema, log) } }];
  await using proxy = await TestProxy.start({
    clusters: [of("v1"), of("v2")],
    listeners: ["in", "too"].map((name) => listener(name, 0, { accessLog }, { statPrefix: "edge" })),
    routes: ["in", "too"].map((name) => routes(name, toCluster("v1", "v1"), toCluster("v2", "v2"))),
  });
  await call(proxy.port("in"), to("v1"));
  await call(proxy.port("too"), to("v2"));
  const names = [...proxy.runtime.stats().keys()];
  assert.equal(proxy.stat("cluster.shop_all.upstream_rq_total"), 2);
  assert.equal(proxy.stat("cluster.shop_all.circuit_breakers.default.cx_open"), 0);
  assert.equal(proxy.stat("listener.edge.downstream_cx_total"), 2);
  assert.deepEqual(
    names.filter((name) => /^cluster\.v\d|^listener\.127/.test(name)),
    [],
  );
  await until("both lines", () => existsSync(path) && readFileSync(path, "utf8").split("\n").length === 3);
  assert.equal(readFileSync(path, "utf8"), "shop:all v1\nshop:all v2\n");
  assert.deepEqual(
    proxy.runtime.clusterStats().map(({ name, statName }) => [name, statName]),
    [
      ["v1", "shop:all"],
      ["v2", "shop:all"],
    ],
  );
  rmSync(folder, { recursive: true });
});
