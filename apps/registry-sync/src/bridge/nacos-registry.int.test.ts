import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  type ExportedProvider,
  exportedApplications,
  originParameter,
  type Provider,
  type RuleDocument,
} from "@fairlead/dubbo-registry";
import { createLogger } from "@fairlead/logging";
import {
  ConfigItems,
  GroupFollower,
  NacosClient,
  type NacosInstance,
  type RegisteredInstance,
  Registrations,
} from "@fairlead/nacos";
import { until } from "@fairlead/testing-basics";
import { CannotRun, startTestNacos, type TestNacos } from "@fairlead/testing-servers";
import type { RegistryReading } from "./foreign-registry.ts";
import { NacosRegistry } from "./nacos-registry.ts";

const logger = createLogger({ service: "test", level: "silent" });
const deadlineMs = 30_000;
let nacos: TestNacos;
let left: string | undefined;

before(async () => {
  try {
    nacos = await startTestNacos();
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    left = `LEFT OUT, the bridge is not tested with a real Nacos: ${error.message}`;
    process.stderr.write(`${left}\n`);
  }
});
after(async () => await nacos?.stop());

const credentials = () => ({ username: nacos.user, password: async () => nacos.password });

/** What a registry has told, as the import would have it. */
function bridge(group: string, servers = nacos.address) {
  const providers = new Map<string, readonly Provider[]>();
  const rules = new Map<string, RuleDocument>();
  const log: string[] = [];
  const registry = new NacosRegistry(
    {
      servers,
      namespace: "public",
      group,
      credentials: credentials(),
      ordinary: "http",
      sessionTimeoutMs: 3_000,
      pollMs: 300,
      logger,
    },
    {
      onAll(all: RegistryReading) {
        log.push("all");
        providers.clear();
        for (const [source, read] of all.providers) providers.set(source, read);
        for (const [source, rule] of all.rules) rules.set(source, rule);
      },
      onProviders: (source, read) => void (read.length === 0 ? providers.delete(source) : providers.set(source, read)),
      onRule: (source, rule) => void (rule === undefined ? rules.delete(source) : rules.set(source, rule)),
      onSuspended: () => log.push("suspended"),
    },
  );
  registry.start();
  const found = () =>
    [...providers.values()].flat().map(({ protocol, interface: name, address, port, weight, enabled }) => `${protocol} ${name} ${address}:${port} ${weight}${enabled ? "" : " off"}`).toSorted(); // prettier-ignore
  return { registry, providers, rules, log, found, [Symbol.asyncDispose]: async () => await registry.stop() };
}

/** An application outside the mesh. */
async function application(group: string) {
  const services = new Map<string, readonly NacosInstance[]>();
  const client = new NacosClient(
    { servers: nacos.address, credentials: credentials(), logger },
    {
      onConnected() {
        follower.onConnected();
        registrations.onConnected();
      },
      onSuspended: () => follower.onSuspended(),
      onPush: (message) => void follower.onPush(message),
    },
  );
  const follower = new GroupFollower(
    { client, group, logger, pollMs: 300 },
    {
      onAll: (all) => all.forEach((instances, name) => services.set(name, instances)),
      onService: (name, instances) => void services.set(name, instances),
    },
  );
  const registrations = new Registrations({ client, group, logger });
  const items = new ConfigItems({ client, logger }, () => undefined);
  client.start();
  await until("the application is connected", () => client.state === "connected", deadlineMs);
  const stop = async () => {
    follower.stop();
    registrations.stop();
    await client.close();
  };
  return { services, registrations, items, [Symbol.asyncDispose]: stop };
}

const at = (port: number, metadata: Record<string, string> = {}, weight = 1): RegisteredInstance => ({ ip: "10.0.0.7", port, weight, metadata }); // prettier-ignore
const exported = (port: number): ExportedProvider => ({ interface: "org.x.Greeter", protocol: "dubbo", address: "10.0.0.8", port, version: "1.0.0", group: "blue", methods: ["greet"], application: "mesh-shop", weight: 100, startedMs: 0, origin: "mesh-a" }); // prettier-ignore
const greeter = "providers:org.x.Greeter:1.0.0:";
const withNacos = (name: string, run: () => Promise<void>) =>
  void test(name, async (context) => {
    if (left === undefined) await run();
    else context.skip(left);
  });

withNacos("interfaces, applications and ordinary services are providers, and go with their client", async () => {
  await using outside = await application("G1");
  await using inside = bridge("G1");
  await until("the empty registry was read", () => inside.log.includes("all"), deadlineMs);
  const metadata = JSON.stringify({ app: "shop", revision: "r1", services: { "org.x.Cart:dubbo": { name: "org.x.Cart", protocol: "dubbo" } } }); // prettier-ignore
  await outside.items.write({ dataId: "shop", group: "r1" }, metadata);
  const ofApplication = { "dubbo.metadata.revision": "r1", "dubbo.metadata.storage-type": "remote", "dubbo.endpoints": '[{"port":1,"protocol":"dubbo"}]' }; // prettier-ignore
  outside.registrations.set(
    new Map([
      [greeter, [at(1, { interface: "org.x.Greeter", version: "1.0.0", application: "shop", weight: "50" }), at(2, { protocol: "tri" }, 0.5)]],
      ["shop", [at(1, ofApplication)]],
      ["prices", [at(8080, {}, 2), at(8081, { [originParameter]: "another-mesh" })]],
    ]),
  ); // prettier-ignore
  const all = ["dubbo org.x.Cart 10.0.0.7:1 100", "dubbo org.x.Greeter 10.0.0.7:1 50", "grpc org.x.Greeter 10.0.0.7:2 50", "http prices 10.0.0.7:8080 200"]; // prettier-ignore
  await until(`all, not ${inside.found().join()}`, () => inside.found().join() === all.join(), deadlineMs);
  outside.registrations.set(new Map([[greeter, [at(2, { protocol: "tri" })]]]));
  await until("one is left", () => inside.found().join() === "grpc org.x.Greeter 10.0.0.7:2 100", deadlineMs);
  await outside[Symbol.asyncDispose]();
  await until("none is left", () => inside.found().length === 0, deadlineMs);
  assert.deepEqual(inside.log, ["all"]);
});

withNacos("rules of providers that are known are read, followed, and gone when they are taken away", async () => {
  await using outside = await application("G2");
  outside.registrations.set(new Map([[greeter, [at(1, { interface: "org.x.Greeter", version: "1.0.0", application: "mall" })]]])); // prettier-ignore
  await using inside = bridge("G2");
  await until("the provider", () => inside.found().length === 1, deadlineMs);
  await outside.items.write({ dataId: "mall.tag-router", group: "dubbo" }, "key: mall");
  await until("the rule", () => inside.rules.has("mall.tag-router"), deadlineMs);
  await outside.items.write({ dataId: "mall.tag-router", group: "dubbo" }, "key: mall\nforce: true");
  await until(
    "the other rule",
    () => JSON.stringify(inside.rules.get("mall.tag-router")).includes("force: true"),
    deadlineMs,
  );
});

withNacos(
  "what the mesh exports is found in both forms, is read back by no mesh, and goes with its bridge",
  async () => {
    await using outside = await application("G3");
    const first = bridge("G3");
    await using second = bridge("G3");
    const providers = [exported(20880), exported(20881)];
    first.registry.export(providers);
    const ports = (name: string) =>
      (outside.services.get(name) ?? []).map(({ port }) => port).toSorted((a, b) => a - b);
    await until("interface", () => ports("providers:org.x.Greeter:1.0.0:blue").join() === "20880,20881", deadlineMs);
    await until("application", () => ports("mesh-shop").join() === "20880,20881", deadlineMs);
    const metadata = (outside.services.get("mesh-shop") ?? [])[0]!.metadata;
    const revisions = exportedApplications(providers).map(({ revision }) => revision);
    assert(revisions.includes(metadata["dubbo.metadata.revision"]!));
    assert.equal(metadata[originParameter], "mesh-a");
    assert.match((await outside.items.read({ dataId: "mesh-shop", group: revisions[0]! })) ?? "", /org\.x\.Greeter/);
    assert.equal(await outside.items.read({ dataId: "org.x.Greeter", group: "mapping" }), "mesh-shop");
    first.registry.export([exported(20881)]);
    await until("one is left", () => ports("providers:org.x.Greeter:1.0.0:blue").join() === "20881" && ports("mesh-shop").join() === "20881", deadlineMs); // prettier-ignore
    await first.registry.stop();
    await until("none is left", () => ports("mesh-shop").length === 0 && ports("providers:org.x.Greeter:1.0.0:blue").length === 0, deadlineMs); // prettier-ignore
    assert.deepEqual([first.found(), second.found()], [[], []]);
  },
);

withNacos(
  "a Nacos that is killed is suspended, not empty; over the next connection all is read and registered again",
  async () => {
    await using outside = await application("G4");
    await using inside = bridge("G4");
    outside.registrations.set(new Map([[greeter, [at(1)]]]));
    inside.registry.export([exported(20880)]);
    await until("read", () => inside.found().length === 1, deadlineMs);
    await until("exported", () => outside.services.get("mesh-shop")?.length === 1, deadlineMs);
    await nacos.kill();
    await until("suspended", () => inside.log.includes("suspended"), deadlineMs);
    assert.equal(inside.found().length, 1);
    outside.services.clear();
    await nacos.restart();
    await until("read again", () => inside.log.filter((word) => word === "all").length === 2, deadlineMs);
    await until("there again", () => inside.found().length === 1, deadlineMs);
    await until("exported again", () => outside.services.get("mesh-shop")?.length === 1, deadlineMs);
  },
);
