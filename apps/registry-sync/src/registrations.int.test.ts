import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { node, RegistryUnderTest } from "./registry-under-test.ts";

let registry: RegistryUnderTest;
before(async () => {
  registry = await RegistryUnderTest.start({
    FAIRLEAD_MAX_INSTANCES_PER_NODE: "3",
    FAIRLEAD_MAX_SUBSCRIPTIONS_PER_NODE: "2",
  });
});
after(async () => {
  await registry?.stop();
  await registry?.postgres.stop();
});

const orders = { interface: "shop.Orders", port: 8080 };

test("/pub stores, answers as MOSN's clients expect, and announces; again it is the same revision", async () => {
  const published = {
    interface: "shop.Orders",
    port: 8080,
    version: "v2",
    group: "blue",
    labels: { version: "canary" },
  };
  const first = await registry.call("POST", "/pub", { service: published, node: node("n1") });
  assert.equal(first.status, 200);
  const { revision } = first.body;
  assert.deepEqual(first.body, { err_no: 0, err_msg: "publish success", revision });
  assert.deepEqual(
    (await registry.call("POST", "/pub", { service: published, node: node("n1") })).body.revision,
    revision,
  );
  const { body } = await registry.call("GET", "/v1/instances?node=n1");
  assert.deepEqual(body["instances"], [
    {
      nodeId: "n1",
      interface: "shop.Orders",
      protocol: "http",
      port: 8080,
      version: "v2",
      group: "blue",
      methods: [],
      labels: { version: "canary", group: "blue" },
      weight: 100,
      state: "ready",
    },
  ]);
  await until("announced", () => registry.announced.some((message) => message.revision === BigInt(revision!)));
  const message = registry.announced.find((one) => one.revision === BigInt(revision!));
  assert.deepEqual(
    message?.objects.map(({ kind }) => kind),
    ["node", "service", "instance"],
  );
});

test("the caller's trace goes into the change log and onto the bus", async () => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const response = await fetch(`${registry.registry.url}/pub`, {
    method: "POST",
    headers: { "content-type": "application/json", traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    body: JSON.stringify({ service: { interface: "shop.Traced", port: 1 }, node: node("n1") }),
  });
  assert.equal(response.status, 200);
  await until("announced", () => registry.announced.some(({ traceparent }) => traceparent.includes(traceId)));
});

test("warming becomes ready, ready becomes draining, /unpub removes; each is idempotent", async () => {
  const at = { node: { id: "n2" }, service: orders };
  await registry.call("POST", "/pub", { service: orders, node: node("n2"), state: "warming" });
  const stateNow = async () =>
    (await registry.store.listInstances({ limit: 10, nodeId: "n2" })).items.map(({ state }) => state);
  assert.deepEqual(await stateNow(), ["warming"]);
  const ready = await registry.call("POST", "/v1/instances/state", { ...at, state: "ready" });
  assert.deepEqual([ready.status, await stateNow()], [200, ["ready"]]);
  const again = await registry.call("POST", "/v1/instances/state", { ...at, state: "ready" });
  assert.equal(again.body.revision, ready.body.revision);
  await registry.call("POST", "/v1/instances/state", { ...at, state: "draining" });
  assert.deepEqual(await stateNow(), ["draining"]);
  const gone = await registry.call("POST", "/unpub", at);
  assert.deepEqual([gone.body.err_no, gone.body.err_msg, await stateNow()], [0, "unpub success", []]);
  assert.equal((await registry.call("POST", "/unpub", at)).body.revision, gone.body.revision);
  const { body } = await registry.call("GET", "/v1/services?interface=shop.Orders");
  assert.deepEqual(
    body["services"],
    [{ interface: "shop.Orders", protocol: "http" }],
    "the service outlives its instances",
  );
});

test("unknown nodes and instances are named, so that a sidecar registers again", async () => {
  const state = await registry.call("POST", "/v1/instances/state", {
    node: { id: "nobody" },
    service: orders,
    state: "ready",
  });
  assert.deepEqual([state.status, state.body.code, state.body.err_no], [404, "FL_NODE_UNKNOWN", 1]);
  const renew = await registry.call("POST", "/v1/leases/renew", { node: { id: "nobody" } });
  assert.deepEqual([renew.status, renew.body.code], [404, "FL_NODE_UNKNOWN"]);
  await registry.call("POST", "/v1/nodes", { node: node("n3") });
  const unknown = await registry.call("POST", "/v1/instances/state", {
    node: { id: "n3" },
    service: orders,
    state: "ready",
  });
  assert.deepEqual([unknown.status, unknown.body.code], [404, "FL_INSTANCE_UNKNOWN"]);
  assert.deepEqual((await registry.call("POST", "/v1/leases/renew", { node: { id: "n3" } })).body, {
    leaseTtlMs: 30_000,
  });
});

test("a publication on several ports has to be named with its port", async () => {
  for (const port of [1001, 1002])
    await registry.call("POST", "/pub", { service: { interface: "shop.Twice", port }, node: node("n4") });
  const ambiguous = await registry.call("POST", "/unpub", { service: { interface: "shop.Twice" }, node: { id: "n4" } });
  assert.deepEqual(
    [ambiguous.status, ambiguous.body.code, ambiguous.body.err_no],
    [409, "FL_PUBLICATION_AMBIGUOUS", 1],
  );
  assert.match(ambiguous.body.err_msg ?? "", /1001, 1002/);
  const { body } = await registry.call("POST", "/unpub", {
    service: { interface: "shop.Twice", port: 1001 },
    node: { id: "n4" },
  });
  assert.equal(body.err_no, 0);
  assert.equal(
    (await registry.call("POST", "/unpub", { service: { interface: "shop.Twice" }, node: { id: "n4" } })).body.err_no,
    0,
  );
  assert.deepEqual((await registry.call("GET", "/v1/instances?interface=shop.Twice")).body["instances"], []);
});

test("/sub names what is called, also before it exists; /unsub takes it back", async () => {
  const body = { service: { interface: "shop.Later" }, node: node("n5") };
  const first = await registry.call("POST", "/sub", body);
  assert.deepEqual([first.status, first.body.err_msg], [200, "subscribe success"]);
  assert.equal((await registry.call("POST", "/sub", body)).body.revision, first.body.revision);
  assert.deepEqual((await registry.call("GET", "/v1/subscriptions?node=n5")).body["subscriptions"], [
    { nodeId: "n5", interface: "shop.Later" },
  ]);
  assert.deepEqual((await registry.call("GET", "/v1/services?interface=shop.Later")).body["services"], [
    { interface: "shop.Later", protocol: "http" },
  ]);
  const back = await registry.call("POST", "/unsub", { service: { interface: "shop.Later" }, node: { id: "n5" } });
  assert.deepEqual([back.status, back.body.err_msg], [200, "unsubscribe success"]);
  assert.deepEqual((await registry.call("GET", "/v1/subscriptions?node=n5")).body["subscriptions"], []);
});

test("a node that leaves takes all of its registrations along", async () => {
  const id = "sidecar~127.0.0.1~a/b:1@x~fairlead";
  await registry.call("POST", "/pub", { service: orders, node: node(id, { inboundPort: 15006 }) });
  await registry.call("POST", "/sub", { service: { interface: "shop.Other" }, node: node(id, { inboundPort: 15006 }) });
  const left = await registry.call("DELETE", `/v1/nodes/${encodeURIComponent(id)}`);
  assert.equal(left.status, 200);
  assert.equal(
    (await registry.call("DELETE", `/v1/nodes/${encodeURIComponent(id)}`)).body.revision,
    left.body.revision,
  );
  const { nodes, instances, subscriptions } = await registry.store.snapshot();
  assert.ok(!nodes.has(id));
  assert.ok(![...instances.values(), ...subscriptions.values()].some(({ nodeId }) => nodeId === id));
});

test("a node has a limit of publications and subscriptions; what is there already may change", async () => {
  const publish = (port: number, weight = 100) =>
    registry.call("POST", "/pub", { service: { interface: "shop.Many", port, weight }, node: node("n6") });
  for (const port of [1, 2, 3]) assert.equal((await publish(port)).status, 200);
  const refused = await publish(4);
  assert.deepEqual(
    [refused.status, refused.body.code, refused.body.facts],
    [409, "FL_NODE_LIMIT", { node: "n6", limit: 3 }],
  );
  assert.equal((await publish(3, 50)).status, 200);
  const subscribe = (name: string) => registry.call("POST", "/sub", { service: { interface: name }, node: node("n6") });
  await subscribe("a.A");
  await subscribe("b.B");
  assert.equal((await subscribe("c.C")).body.code, "FL_NODE_LIMIT");
  assert.equal((await subscribe("b.B")).status, 200);
  assert.deepEqual(
    (await registry.call("GET", "/v1/services?interface=c.C")).body["services"],
    [],
    "the refused one left nothing",
  );
});

test("nodes are listed page by page with their leases", async () => {
  const seen: unknown[] = [];
  for (let from = ""; ;) {
    const { body } = await registry.call(
      "GET",
      `/v1/nodes?limit=2${from === "" ? "" : `&after=${encodeURIComponent(from)}`}`,
    );
    assert.ok(Array.isArray(body["nodes"]) && body["nodes"].length <= 2);
    seen.push(...body["nodes"]);
    if (typeof body["next"] !== "string") break;
    from = body["next"];
  }
  const ids = seen.map((one) => (typeof one === "object" && one !== null && "id" in one ? String(one.id) : ""));
  assert.deepEqual(
    ids,
    [...new Set(ids)].toSorted((a, b) => (a < b ? -1 : 1)),
  );
  assert.ok(ids.includes("n1") && ids.includes("n6"));
});

test("who was there first keeps the name: one that differs in case only is refused, in publications and subscriptions", async () => {
  const call = (path: string, name: string, id: string) =>
    registry.call("POST", path, { service: { interface: name, port: 1 }, node: node(id) });
  assert.equal((await call("/pub", "case.Reviews", "case-1")).status, 200);
  for (const path of ["/pub", "/sub"]) {
    const { status, body } = await call(path, "CASE.REVIEWS", "case-2");
    assert.deepEqual([status, body["code"]], [409, "FL_INTERFACE_TAKEN"]);
    assert.match(JSON.stringify(body), /case\.Reviews/);
  }
  // A subscription alone does not keep a name from who has the service.
  assert.equal((await call("/sub", "CASE.Ratings", "case-1")).status, 200);
  assert.equal((await call("/pub", "case.ratings", "case-2")).status, 200);
  assert.equal((await call("/pub", "case.ratings", "case-2")).status, 200);
  assert.equal((await call("/pub", "CASE.Ratings", "case-1")).status, 409);
});

test("of two that register names that differ in case at the same time one has it", async () => {
  const names = ["race.A", "RACE.a", "Race.a", "race.a"];
  const answers = await Promise.all(
    names.map((name, index) =>
      registry.call("POST", "/pub", { service: { interface: name, port: 1 }, node: node(`race-${index}`) }),
    ),
  );
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 409, 409, 409],
  );
});
