import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { parseProvider, type Provider, type RuleDocument } from "@fairlead/dubbo-registry";
import { openStore, type Store } from "@fairlead/store";
import { until } from "@fairlead/testing-basics";
import { startTestPostgres, type TestPostgres } from "@fairlead/testing-servers";
import { mirroredPrefix } from "./mirrored-instance.ts";
import { RegistryImport } from "./registry-import.ts";
import { silent } from "./testing/bridge-under-test.ts";

const name = "org.x.Greeter";

function provider(port: number, more = "", host = "10.0.0.1"): Provider {
  const parsed = parseProvider(`dubbo://${host}:${port}/${name}?application=demo${more}`, name);
  assert(parsed !== undefined);
  return parsed;
}
const sources = (...all: Provider[]) => new Map(all.map((one, index) => [`/p/${index}`, [one]]));

describe("a registry that somebody writes to who means harm", () => {
  let postgres: TestPostgres;
  let store: Store;
  before(async () => {
    postgres = await startTestPostgres();
    store = await openStore({ url: postgres.url, logger: silent });
    await store.migrate();
  });
  after(async () => {
    await store.close();
    await postgres.stop();
  });
  const begin = (registry: string, gatherMs = 5) =>
    new RegistryImport({ name: registry, store, logger: silent, gatherMs, removalDelayMs: 100, lossHoldMs: 400 });
  const instances = async (registry: string) => {
    const { result } = await store.write(undefined, (tx) => tx.findInstancesOf(mirroredPrefix(registry)));
    return result.toSorted((a, b) => a.port - b.port);
  };
  const untilPorts = (registry: string, ...ports: number[]) =>
    until(`ports ${ports.join()}`, async () => (await instances(registry)).map(({ port }) => port).join() === ports.join()); // prettier-ignore

  test("what a database cannot take does not keep the others out", async () => {
    const mirror = begin("nul");
    const odd = provider(2, "&methods=ok,b\0ad&application=a\0b&zone=\0");
    mirror.onAll({ providers: sources(provider(1), odd), rules: new Map() });
    await untilPorts("nul", 1, 2);
    assert.deepEqual((await instances("nul")).map(({ methods }) => methods), [[], ["ok"]]); // prettier-ignore
    const rule: RuleDocument = { form: "item", key: `${name}::.condition-router`, text: `conditions: ["attachments[a]=\\0b\\uD800 => address=10.0.0.1:1"]` }; // prettier-ignore
    mirror.onRule("/dubbo/config/dubbo/\0", rule);
    await until("the rule", async () => (await store.snapshot()).policies.size > 0);
    await mirror.stop();
  });

  test("addresses that no proxy may be sent to, and names that none resolves, are left out", async () => {
    const mirror = begin("far");
    const hosts = ["169.254.169.254", "provider.example", "224.0.0.1", "[fe80::1]", "[::]", "0.0.0.1"];
    mirror.onAll({ providers: sources(provider(1), ...hosts.map((host) => provider(2, "", host)), provider(3, "", "[fd00::1]")), rules: new Map() }); // prettier-ignore
    await untilPorts("far", 1, 3);
    assert.equal(mirror.unusable, hosts.length);
    await mirror.stop();
  });

  test("what is left out is counted once, whatever changes meanwhile", async () => {
    const mirror = begin("count");
    mirror.onAll({ providers: sources(provider(1), provider(2, "", "no.address")), rules: new Map() });
    const override = (weight: number): RuleDocument => ({ form: "url", interface: name, url: `override://0.0.0.0/${name}?weight=${weight}` }); // prettier-ignore
    mirror.onRule("/o", override(7));
    mirror.onRule("/o", override(8));
    await until("the weight", async () => (await instances("count"))[0]?.weight === 8);
    assert.equal(mirror.unusable, 1);
    mirror.onProviders("/p/1", []);
    assert.equal(mirror.unusable, 0);
    await mirror.stop();
  });

  test("changes without a pause do not put each other off", async () => {
    const mirror = begin("storm", 50);
    mirror.onAll({ providers: new Map(), rules: new Map() });
    let port = 1;
    const storm = setInterval(() => mirror.onProviders(`/p/${port}`, [provider(port++)]), 5);
    try {
      await until("some while others come", async () => (await instances("storm")).length > 0);
    } finally {
      clearInterval(storm);
    }
    await mirror.stop();
  });

  test("an owner that has not read the registry yet leaves rules as they are", async () => {
    const first = begin("own");
    const rule: RuleDocument = { form: "item", key: `${name}::.condition-router`, text: `conditions: ["method=a => address=10.0.0.1:1"]` }; // prettier-ignore
    const rules = new Map([["/r", rule]]);
    first.onAll({ providers: sources(provider(1, "&dubbo.tag=gray"), provider(2)), rules });
    const policies = async () => [...(await store.snapshot()).policies.values()].filter(({ namespace }) => namespace === "~own").map(({ text }) => text); // prettier-ignore
    await until("the rule", async () => (await policies()).join().includes("/a"));
    await first.stop();
    const written = await policies();
    await store.write(undefined, async (tx) => {
      await tx.putNode({ id: "mine", app: "mine", address: "10.0.0.8", labels: {} }, 600_000);
      await tx.putInstance({ nodeId: "mine", interface: name, protocol: "dubbo", port: 9, version: "", group: "", methods: [], labels: {}, weight: 100, state: "ready" }); // prettier-ignore
    });
    const second = begin("own");
    const catalogue = await store.snapshot();
    second.restore(catalogue);
    second.meshChanged(catalogue);
    await pause(300);
    assert.deepEqual(await policies(), written);
    await second.stop();
  });

  test("rules that would be very long policies are none, and it is said", async () => {
    const mirror = begin("long");
    const many = Array.from({ length: 3_000 }, (_, port) => provider(port + 1));
    const conditions = Array.from({ length: 60 }, (_, n) => `"method=m${n} => address!=10.0.0.1:${n + 1}"`);
    const rule: RuleDocument = { form: "item", key: `${name}::.condition-router`, text: `conditions: [${conditions.join()}]` }; // prettier-ignore
    mirror.onAll({ providers: sources(...many), rules: new Map([["/c", rule]]) });
    await until("it is said", () => mirror.ruleProblems.some(({ text }) => /characters of policies/.test(text)));
    await until("all are there", async () => (await instances("long")).length === many.length);
    await mirror.stop();
  });

  test("more providers and rules than one registry may have are left out and counted, and changes of others go on", async () => {
    const mirror = new RegistryImport({ name: "full", store, logger: silent, gatherMs: 5, removalDelayMs: 10, lossHoldMs: 10, maxProviders: 3, maxRules: 2 }); // prettier-ignore
    const rule = (weight: number): RuleDocument => ({ form: "url", interface: name, url: `override://10.0.0.1:1/${name}?weight=${weight}` }); // prettier-ignore
    const four = sources(...[1, 2, 3, 4].map((port) => provider(port)));
    mirror.onAll({ providers: four, rules: new Map([1, 2, 3].map((n) => [`/r/${n}`, rule(n)])) });
    await untilPorts("full", 1, 2, 3);
    assert.deepEqual([mirror.leftOut, mirror.rules], [2, 2]);
    mirror.onProviders("/p/0", []);
    mirror.onProviders("/p/9", [provider(9), provider(10)]);
    await untilPorts("full", 2, 3, 9);
    mirror.onRule("/r/4", rule(4));
    assert.equal(mirror.leftOut, 4);
    for (const gone of ["/r/1", "/r/3"]) mirror.onRule(gone, undefined);
    mirror.onRule("/r/4", rule(4));
    assert.deepEqual([mirror.leftOut, mirror.rules], [2, 2]);
    mirror.onAll({ providers: sources(provider(4)), rules: new Map() });
    await untilPorts("full", 4);
    assert.equal(mirror.leftOut, 0);
    await mirror.stop();
  });

  test("a registry that is kept to some interfaces says nothing of others: neither who serves them nor how they are called", async () => {
    const mirror = new RegistryImport({ name: "kept", interfaces: ["org.x.*"], store, logger: silent, gatherMs: 5 });
    const other = parseProvider("dubbo://10.0.0.1:7/com.pay.Cards?application=demo", "com.pay.Cards");
    assert(other !== undefined);
    const rule: RuleDocument = { form: "item", key: "com.pay.Cards::.condition-router", text: "conditions: ['=> ']" };
    mirror.onAll({ providers: sources(provider(1), other), rules: new Map([["/c", rule]]) });
    await untilPorts("kept", 1);
    const { policies } = await store.snapshot();
    assert.deepEqual([...policies.values()].filter(({ namespace }) => namespace === "~kept"), []); // prettier-ignore
    await mirror.stop();
  });
});
