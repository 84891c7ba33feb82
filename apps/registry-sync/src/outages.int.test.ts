import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { InProcessBus } from "@fairlead/bus";
import { openStore } from "@fairlead/store";
import { until } from "@fairlead/testing-basics";
import { registrySyncConfig } from "./config.ts";
import { createRegistrySync } from "./module.ts";
import { node, RegistryUnderTest, silent } from "./registry-under-test.ts";

const leaseTtlMs = 1500;
const settings = { FAIRLEAD_LEASE_TTL: `${leaseTtlMs}ms` };
let first: RegistryUnderTest;
let second: RegistryUnderTest;
before(async () => {
  first = await RegistryUnderTest.start(settings);
  second = await RegistryUnderTest.start(settings, first);
});
after(async () => {
  await second?.stop();
  await first?.stop();
  await first?.postgres.stop();
});

const publish = (target: RegistryUnderTest, id: string, name: string, port = 8080) =>
  target.call("POST", "/pub", { service: { interface: name, port }, node: node(id) });
const nodeIds = async () => (await first.store.listNodes({ limit: 1000 })).items.map(({ id }) => id);

test("a node that does not renew is removed with what it published; one that renews stays", async () => {
  await publish(first, "silent", "shop.Silent");
  await publish(first, "alive", "shop.Alive");
  await until("the silent one is removed", async () => {
    assert.equal((await second.call("POST", "/v1/leases/renew", { node: { id: "alive" } })).status, 200);
    return !(await nodeIds()).includes("silent");
  });
  assert.deepEqual(await nodeIds(), ["alive"]);
  assert.deepEqual(
    (await first.store.listInstances({ limit: 10 })).items.map(({ nodeId }) => nodeId),
    ["alive"],
  );
  await first.call("DELETE", "/v1/nodes/alive");
});

test("two replicas, 200 changes at once: revisions without gaps, all announced", async () => {
  const start = await first.store.revision();
  await until("quiet", async () => (await first.store.countPending()) === 0);
  first.announced.splice(0);
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      publish(n % 2 === 0 ? first : second, `c${n % 20}`, `shop.Many${n % 7}`, 1000 + n),
    ),
  );
  const expected = Array.from({ length: 200 }, (_, n) => start + 1 + n);
  assert.deepEqual(
    answers.map(({ status }) => status).filter((status) => status !== 200),
    [],
  );
  assert.deepEqual(
    answers.map(({ body }) => body.revision!).toSorted((a, b) => a - b),
    expected,
  );
  const announced = () => new Set(first.announced.map(({ revision }) => Number(revision)));
  await until("all announced", () => expected.every((revision) => announced().has(revision)));
});

test("the bus is down: changes are stored, readiness says it, and they are announced when it is back", async () => {
  first.bus.simulateDisconnect();
  first.announced.splice(0);
  const { status, body } = await publish(first, "b1", "shop.NoBus");
  assert.equal(status, 200);
  const readiness = await fetch(`${first.registry.url}/readyz`);
  assert.deepEqual([readiness.status, await readiness.json()], [503, { ready: false, waitingFor: ["the bus"] }]);
  first.bus.simulateReconnect();
  await until("announced", () => first.announced.some(({ revision }) => Number(revision) === body.revision));
  assert.ok(await first.ready());
});

describe("PostgreSQL is killed", () => {
  test("503 FL_STORE_UNAVAILABLE at every door, and a readiness that says why", async () => {
    await publish(first, "survivor", "shop.Survivor");
    await first.postgres.kill();
    const refused = await publish(first, "refused", "shop.Refused");
    assert.deepEqual([refused.status, refused.body.code, refused.body.err_no], [503, "FL_STORE_UNAVAILABLE", 1]);
    assert.equal(refused.headers.get("retry-after"), "1");
    assert.doesNotMatch(JSON.stringify(refused.body), /postgres:\/\/|password/);
    const policy =
      "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: a.B}\n";
    for (const [method, path, body, type] of [
      ["POST", "/sub", { service: { interface: "a.B" }, node: node("x") }],
      ["POST", "/v1/leases/renew", { node: { id: "survivor" } }],
      ["DELETE", "/v1/nodes/survivor"],
      ["GET", "/v1/nodes"],
      ["GET", "/v1/instances"],
      ["GET", "/v1/policies"],
      ["PUT", "/v1/policies", policy, "application/yaml"],
      ["PUT", "/v1/policies?dryRun=true", policy, "application/yaml"],
    ] as const) {
      const answer = await first.call(method, path, body, type);
      assert.deepEqual(
        [answer.status, answer.body.code],
        [503, "FL_STORE_UNAVAILABLE"],
        `${method} ${path} ${JSON.stringify(answer.body)}`,
      );
    }
    await until("not ready", async () => !(await first.ready()));
    assert.deepEqual(await (await fetch(`${first.registry.url}/readyz`)).json(), {
      ready: false,
      waitingFor: ["PostgreSQL"],
    });
    assert.equal((await fetch(`${first.registry.url}/healthz`)).status, 200);
    assert.equal((await first.call("GET", "/v1/gateways")).status, 200);
  });

  test("back again: nothing is lost, and no lease ends before nodes had time to renew", async () => {
    const outage = performance.now();
    await until("the lease would be over", () => performance.now() - outage > leaseTtlMs);
    await first.postgres.restart();
    await until("ready again", async () => (await first.ready()) && (await second.ready()), 15_000);
    const back = performance.now();
    const [survivor] = (await first.store.listNodes({ limit: 1, after: "survivo" })).items;
    assert.ok(survivor?.id === "survivor" && survivor.leaseRemainingMs < 0, "its lease is over, and it is there");
    while (performance.now() - back < leaseTtlMs - 300) {
      assert.ok((await nodeIds()).includes("survivor"));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal((await first.call("POST", "/v1/leases/renew", { node: { id: "survivor" } })).status, 200);
    assert.equal((await publish(first, "n", "shop.After")).status, 200);
  });
});

test("it starts without PostgreSQL, and is ready once that is there", async () => {
  await first.postgres.kill();
  const store = await openStore({ url: first.postgres.url, logger: silent });
  const bus = new InProcessBus();
  const telemetry = { serveMetrics: () => undefined };
  const early = createRegistrySync(registrySyncConfig.load({ FAIRLEAD_HTTP_PORT: "0" }), {
    bus,
    store,
    logger: silent,
    telemetry,
  });
  await early.start();
  const { status } = await fetch(`${early.url}/readyz`);
  assert.equal(status, 503);
  await first.postgres.restart();
  await until("ready", async () => (await fetch(`${early.url}/readyz`)).ok, 15_000);
  await early.stop();
  await bus.close();
  await store.close();
});
