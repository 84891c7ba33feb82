import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { RegistryPaths } from "@fairlead/dubbo-registry";
import { until } from "@fairlead/testing-basics";
import { startTestZooKeeper, type TestZooKeeper } from "@fairlead/testing-servers";
import { ZooKeeperClient } from "@fairlead/zookeeper";
import { RegistryUnderTest, silent } from "./registry-under-test.ts";

const name = "org.x.Greeter";
const url = `dubbo://10.0.0.1:20880/${name}?application=shop&interface=${name}`;

describe("rules of a bridged registry, as operators see them", () => {
  let zookeeper: TestZooKeeper;
  let registry: RegistryUnderTest;
  let app: ZooKeeperClient;
  before(async () => {
    zookeeper = await startTestZooKeeper();
    app = new ZooKeeperClient(
      { servers: zookeeper.address, logger: silent },
      { onConnected: () => undefined, onSuspended: () => undefined, onChange: () => undefined },
    );
    app.start();
    await until("connected", () => app.state === "connected");
    const paths = new RegistryPaths();
    await app.ensure(paths.folder(name, "providers"));
    await app.create(paths.node(name, "providers", url), Buffer.alloc(0), { ephemeral: true });
    const rules = {
      [`${name}::.configurators`]: `{scope: service, key: ${name}, configs: [{side: consumer, parameters: {timeout: 700, mock: "true"}}]}`,
      "shop.script-router": "script: x",
    };
    for (const [key, text] of Object.entries(rules)) {
      await app.ensure(`/dubbo/config/dubbo/${key}`);
      await app.write(`/dubbo/config/dubbo/${key}`, Buffer.from(text));
    }
    registry = await RegistryUnderTest.start({ FAIRLEAD_BRIDGES: `main=zookeeper://${zookeeper.address}` });
  });
  after(async () => {
    await registry.stop();
    await registry.postgres.stop();
    await app.close();
    await zookeeper.stop();
  });

  const policies = async () => {
    const { body } = await registry.call("GET", "/v1/policies");
    return body["policies"] as { kind: string; namespace: string; name: string; file: string; text: string }[];
  };

  test("they are policies that name their rule, and are neither applied nor removed by hand", async () => {
    await until("the policy", async () => (await policies()).length === 1);
    const [policy] = await policies();
    assert(policy !== undefined);
    assert.equal(policy.file, `registry main: ${name}::.configurators`);
    assert.match(policy.text, /timeout: 700ms/);
    const path = `/v1/policies/${policy.kind}/${encodeURIComponent(policy.namespace)}/${policy.name}`;
    assert.equal((await registry.call("GET", path)).status, 200);
    for (const query of ["", "?dryRun=true"]) {
      const { status, body } = await registry.call("DELETE", `${path}${query}`);
      assert.deepEqual([status, body.code], [409, "FL_POLICY_OWNED"]);
    }
    const mine = policy.text.replace("metadata:\n", `metadata:\n  namespace: ${policy.namespace}\n`);
    const { status, body } = await registry.call("PUT", "/v1/policies", mine, "application/yaml");
    assert.deepEqual([status, body.code], [422, "FL_POLICY_INVALID"]);
    assert.equal((await policies()).length, 1);
  });

  test("what the mesh does not do of them is told, and counted", async () => {
    const { body } = await registry.call("GET", "/v1/bridges");
    const [bridge] = body["bridges"] as { ruleProblems: { source: string; text: string }[] }[];
    const problems = bridge?.ruleProblems.map(({ source, text }) => `${source}: ${text}`).toSorted();
    assert.equal(problems?.[0], `${name}::.configurators: mock has no effect in the mesh`);
    assert.match(problems?.[1] ?? "", /^shop\.script-router: scripts are not run/);
    assert.deepEqual({ ...bridge, ruleProblems: 0 }, { registry: "main", owner: true, connected: true, providers: 1, unusable: 0, leftOut: 0, asked: 0, rules: 1, ruleProblems: 0 }); // prettier-ignore
    const metrics = await (await fetch(`${registry.registry.url}/metrics`)).text();
    assert.match(metrics, /^fairlead_bridge_rule_problems\{[^}]*registry="main"[^}]*\} 2/m);
  });
});
