import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ClusterLoadAssignment_PolicySchema,
  ClusterLoadAssignmentSchema,
} from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { cluster, endpoints, listener, routes, toCluster } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

function dropping(port: number, ...numerators: number[]): XdsResource {
  const message = fromBinary(ClusterLoadAssignmentSchema, endpoints("a", [port]).body);
  const dropOverloads = numerators.map((numerator) => ({ category: "drop", dropPercentage: { numerator } }));
  message.policy = create(ClusterLoadAssignment_PolicySchema, { dropOverloads });
  return { name: "a", body: toBinary(ClusterLoadAssignmentSchema, message) };
}

test("an assignment turns the share of requests away that it says", async () => {
  await using backend = await Backend.named("served");
  const logged: { readonly flags: string; readonly details: string }[] = [];
  let chance = 0.5;
  const log = (): void => undefined;
  const info = (facts: object): void => {
    if ("flags" in facts && "details" in facts)
      logged.push({ flags: String(facts.flags), details: String(facts.details) });
  };
  await using proxy = await TestProxy.start(
    {
      clusters: [cluster("a")],
      endpoints: [dropping(backend.port, 30)],
      listeners: [listener("in", 0)],
      routes: [routes("in", toCluster("*", "a"))],
    },
    { accessLog: true, random: () => chance, logger: { debug: log, info, warn: log, error: log } },
  );
  const ask = async (): Promise<unknown[]> => {
    const { status, body, headers } = await call(proxy.port("in"));
    return [status, body, headers["x-envoy-drop-overload"], headers["x-envoy-unconditional-drop-overload"]];
  };
  assert.deepEqual(await ask(), [200, "served", undefined, undefined]);
  chance = 0.29;
  assert.deepEqual(await ask(), [503, "drop overload", "true", undefined]);
  await proxy.apply({ endpoints: [dropping(backend.port, 100)] });
  chance = 0.999;
  assert.deepEqual(await ask(), [503, "unconditional drop overload", undefined, "true"]);
  assert.equal(proxy.stat("cluster.a.upstream_rq_drop_overload"), 2);
  assert.equal(proxy.stat("cluster.a.upstream_rq_503"), 2);
  await until("the access log", () => logged.length === 3);
  assert.deepEqual(logged.slice(1), [
    { flags: "DO", details: "drop_overload" },
    { flags: "UDO", details: "unconditional_drop_overload" },
  ]);
  await proxy.apply({ endpoints: [dropping(backend.port)] });
  assert.deepEqual(await ask(), [200, "served", undefined, undefined]);
});

test("more than one category of what is turned away is refused", async () => {
  await using proxy = await TestProxy.start({ clusters: [cluster("a")] });
  const [rejection] = await proxy.apply({ endpoints: [dropping(1, 10, 20)] });
  assert.match(rejection?.reason ?? "", /policy\.drop_overloads: has more than one element/);
});
