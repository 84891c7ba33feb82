import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import type { ApplicationInstance, Provider } from "@fairlead/dubbo-registry";
import { createLogger } from "@fairlead/logging";
import { ApplicationQuestions, type ApplicationQuestionsOptions } from "./application-questions.ts";
import { NacosInstances } from "./nacos-instances.ts";
import { recordedRevision, startMetadataProvider } from "./testing/metadata-provider.ts";

const logger = createLogger({ service: "test", level: "silent" });

function instance(revision: string, storage: "local" | "remote", address = "127.0.0.1", port = 1): ApplicationInstance {
  const metadata = {
    "dubbo.metadata-service.url-params": JSON.stringify({ port: String(port), protocol: "dubbo" }),
  };
  return { application: "shop", address, port: 20_880, enabled: true, revision, storage, ports: new Map(), metadata };
}

function questions(more: Partial<ApplicationQuestionsOptions> = {}) {
  const told = new Map<string, readonly Provider[]>();
  const waiting = new Map<string, () => void>();
  const asking = new ApplicationQuestions({
    remote: async (app, revision) => metadata(app, revision, 3),
    onProviders(source, providers) {
      told.set(source, providers);
      waiting.get(source)?.();
    },
    logger,
    ...more,
  });
  const untilTold = (source: string) => new Promise<void>((resolve) => waiting.set(source, resolve));
  return { questions: asking, told, untilTold };
}
const metadata = (app: string, revision: string, services: number) =>
  JSON.stringify({ app, revision, services: Object.fromEntries(Array.from({ length: services }, (_, n) => [String(n), { name: `org.x.S${n}`, protocol: "dubbo" }])) }); // prettier-ignore

test("a thousand instances at an address that never answers take a few questions, and who answers is not behind them", async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.2");
  await once(silent, "listening");
  const { port } = silent.address() as { port: number };
  const provider = await startMetadataProvider();
  const { questions: all, told, untilTold } = questions();
  for (let n = 0; n < 1_000; n++) all.providersAt(`silent ${n}`, instance(`r${n}`, "local", "127.0.0.2", port));
  const good = untilTold("good");
  assert.equal(all.providersAt("good", instance(recordedRevision, "local", "127.0.0.1", provider.port)), undefined);
  await good;
  assert(sockets.length <= 4, `${sockets.length} questions to one address`);
  assert.deepEqual(told.get("good")?.map((one) => one.interface), ["org.x.Greeter"]); // prettier-ignore
  assert.equal(all.size, 1_000);
  assert.deepEqual(all.asked.get("silent 0"), { address: "127.0.0.2", ports: [] });
  all.stop();
  for (const socket of sockets) socket.destroy();
  silent.close();
  await provider.stop();
});

test("what one instance has told is told of all with that revision, also of those who do not answer", async () => {
  const provider = await startMetadataProvider();
  const { questions: all, untilTold } = questions();
  const mute = { ...instance(recordedRevision, "local"), metadata: {} };
  const [first, second] = [untilTold("mute"), untilTold("good")];
  all.providersAt("mute", mute);
  all.providersAt("good", instance(recordedRevision, "local", "127.0.0.1", provider.port));
  await Promise.all([first, second]);
  assert.equal(all.size, 0);
  await provider.stop();
});

test("revisions that no instance has any more are forgotten when everything was read, and as new ones come", async () => {
  const { questions: all } = questions();
  const put = async (source: string, revision: string) => {
    await all.prefetch(instance(revision, "remote"));
    assert.equal(all.providersAt(source, instance(revision, "remote"))?.length, 3);
  };
  all.begin();
  for (let n = 0; n < 20; n++) await put(`s${n}`, `r${n}`);
  all.keep(new Set(["s1", "s2"]));
  assert.equal(all.known, 2);
  // A source of 5,000 deploys, one after the other.
  for (let n = 0; n < 5_000; n++) await put("s1", `deploy ${n}`);
  assert(all.known <= 1_010, `${all.known} are known`);
  assert.equal(all.providersAt("s2", instance("r2", "remote"))?.length, 3);
});

test("beyond the limits services and providers are left out and counted; what is let go makes room", async () => {
  const limits = { maxServices: 2, maxProviders: 5 };
  const { questions: all } = questions(limits);
  const revision = instance("r", "remote");
  await all.prefetch(revision);
  const counts = ["a", "b", "c", "d"].map((source) => all.providersAt(source, revision)?.length);
  assert.deepEqual(counts, [2, 2, 1, 0]);
  assert.equal(all.leftOut, 1 + 1 + 2);
  all.forget("a");
  assert.equal(all.providersAt("d", revision)?.length, 2);
  const { questions: kept } = questions({ ...limits, interfaces: ["org.x.S2"] });
  await kept.prefetch(revision);
  assert.deepEqual(kept.providersAt("a", revision)?.map((one) => one.interface), ["org.x.S2"]); // prettier-ignore
  assert.equal(kept.leftOut, 0);
});

test("an instance in Nacos that does not say yet what its new revision serves is what it was, until it says so or goes", async () => {
  let known = true;
  const { questions: all } = questions({ remote: async (app, revision) => (known ? metadata(app, revision, 1) : undefined) }); // prettier-ignore
  const instances = new NacosInstances(all, undefined);
  const at = (revision: string) => ({ ip: "10.0.0.1", port: 20_880, cluster: "DEFAULT", weight: 1, healthy: true, ephemeral: true, enabled: true, metadata: { "dubbo.metadata.revision": revision, "dubbo.metadata.storage-type": "remote", "dubbo.endpoints": `[{"port":20880,"protocol":"dubbo"}]` } }); // prettier-ignore
  await all.prefetch({ ...instance("r1", "remote"), application: "shop" });
  const [source] = [...instances.put("shop", [at("r1")]).keys()];
  assert(source !== undefined && instances.providers.has(source));
  known = false;
  assert.deepEqual([...instances.put("shop", [at("r2")])], []);
  assert(instances.providers.has(source));
  assert.deepEqual([...all.asked], [[source, { address: "10.0.0.1", ports: [20_880] }]]);
  assert.deepEqual([...instances.put("shop", [])], [[source, []]]);
  // Also one that never said anything: somebody may wait for it.
  instances.put("shop", [at("r3")]);
  assert.deepEqual([...instances.put("shop", [])], [[source, []]]);
  assert.equal(all.size, 0);
});
