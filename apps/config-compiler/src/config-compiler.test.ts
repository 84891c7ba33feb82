import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { buckets, InProcessBus, type KeyValue, subjects } from "@fairlead/bus";
import { type ConfigPushed, ConfigPushedSchema } from "@fairlead/fairlead-api";
import { createLogger } from "@fairlead/logging";
import type { Instance, MeshNode } from "@fairlead/model";
import { bucketKeyOf, decodeEntry, parseBucketKey } from "@fairlead/snapshot";
import { CatalogueUnderTest } from "./catalogue-under-test.ts";
import { configCompilerConfig } from "./config.ts";
import { type ConfigCompiler, createConfigCompiler } from "./module.ts";

const node: MeshNode = { id: "n1", app: "a", address: "10.0.0.1", inboundPort: 15006, outboundPort: 15001, labels: {} };
const service = { interface: "shop.A", protocol: "http" as const };
const instance: Instance = {
  ...service,
  nodeId: "n1",
  port: 1,
  version: "",
  group: "",
  methods: [],
  labels: { version: "v1" },
  weight: 1,
  state: "ready",
};

const rule = `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: dr}\nspec: {host: shop.A, subsets: [{name: v1, labels: {version: v1}}]}\n`;
const route = (subset: string) =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: vs}\nspec: {hosts: [shop.A], http: [{route: [{destination: {host: shop.A, subset: ${subset}}}]}]}\n`;

/** A compiler on a bus, and what it announces. */
class CompilerUnderTest {
  readonly catalogue: CatalogueUnderTest;
  readonly bus: InProcessBus;
  readonly announced: ConfigPushed[] = [];
  readonly #context: TestContext;
  #watchers: (() => void)[] = [];

  constructor(context: TestContext, catalogue = new CatalogueUnderTest(), bus = new InProcessBus()) {
    this.#context = context;
    this.catalogue = catalogue;
    this.bus = bus;
    bus.subscribe(subjects.configPushed, ({ data }) => {
      this.announced.push(fromBinary(ConfigPushedSchema, data));
      for (const watcher of this.#watchers.splice(0)) watcher();
    });
  }

  async start(): Promise<ConfigCompiler> {
    const compiler = createConfigCompiler(
      configCompilerConfig.load({ FAIRLEAD_HTTP_PORT: "0", FAIRLEAD_POLL_INTERVAL: "20ms" }),
      {
        bus: this.bus,
        store: this.catalogue,
        logger: createLogger({ service: "test", level: "silent" }),
        telemetry: { serveMetrics: () => undefined },
      },
    );
    await compiler.start();
    this.#context.after(async () => await compiler.stop());
    return compiler;
  }

  /** The first announcement that covers the revision. */
  async announcementOf(revision: number): Promise<ConfigPushed> {
    for (;;) {
      const found = this.announced.find((message) => Number(message.revision) >= revision);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  async bucket(): Promise<KeyValue> {
    return await this.bus.keyValue(buckets.xds);
  }

  /** The text of the outbound routes in the bucket. */
  async routes(): Promise<string> {
    const key = bucketKeyOf("resource", "rds/everything/outbound");
    const entry = decodeEntry(parseBucketKey(key)!, (await (await this.bucket()).get(key))!.value!);
    return entry.kind === "resource" ? Buffer.from(entry.value.body).toString("latin1") : "";
  }
}

test("compiles what is there at its start, and each change after it", async (t) => {
  const mesh = new CompilerUnderTest(t);
  mesh.catalogue.put("service", service);
  mesh.catalogue.put("node", node);
  const compiler = await mesh.start();
  await mesh.announcementOf(2);
  const { changedKeys } = await mesh.announcementOf(mesh.catalogue.put("instance", instance));
  assert.ok(changedKeys.includes(bucketKeyOf("resource", "eds/outbound|http||shop.A")));
  assert.equal(compiler.role, "active");
  const ready = await fetch(`${compiler.url}/readyz`);
  assert.equal(ready.status, 200);
});

test("a log that does not reach back is answered by reading everything", async (t) => {
  const mesh = new CompilerUnderTest(t);
  await mesh.start();
  await mesh.announcementOf(0);
  mesh.catalogue.put("node", node);
  mesh.catalogue.trim();
  const revision = mesh.catalogue.put("service", service);
  mesh.catalogue.trim();
  await mesh.announcementOf(revision);
  assert.match(await mesh.routes(), /shop\.A/);
});

test("one compiles, the others stand by; when its lock is lost another goes on", async (t) => {
  const mesh = new CompilerUnderTest(t);
  const first = await mesh.start();
  await mesh.announcementOf(0);
  const second = await mesh.start();
  assert.deepEqual([first.role, second.role], ["active", "standby"]);
  await first.stop();
  await mesh.announcementOf(mesh.catalogue.put("service", service));
  assert.equal(second.role, "active");
});

test("the store away: it tries again, and misses nothing", async (t) => {
  const mesh = new CompilerUnderTest(t);
  const compiler = await mesh.start();
  await mesh.announcementOf(0);
  mesh.catalogue.failure = new Error("connection refused");
  mesh.catalogue.breakLock();
  while (compiler.role === "active") await new Promise((resolve) => setImmediate(resolve));
  const revision = mesh.catalogue.put("service", service);
  mesh.catalogue.failure = undefined;
  await mesh.announcementOf(revision);
  assert.match(await mesh.routes(), /shop\.A/);
});

test("the bus away: the commit is made when it is back", async (t) => {
  const mesh = new CompilerUnderTest(t);
  const compiler = await mesh.start();
  await mesh.announcementOf(0);
  mesh.bus.simulateDisconnect();
  const revision = mesh.catalogue.put("service", service);
  while ((await fetch(`${compiler.url}/readyz`)).status === 200) await new Promise((resolve) => setImmediate(resolve));
  mesh.bus.simulateReconnect();
  await mesh.announcementOf(revision);
  assert.match(await mesh.routes(), /shop\.A/);
});

test("a policy that cannot be used is announced with its line each time it is changed, and what it said before stays, over a restart too", async (t) => {
  const mesh = new CompilerUnderTest(t);
  mesh.catalogue.put("service", service);
  mesh.catalogue.put("node", node);
  mesh.catalogue.put("instance", instance);
  mesh.catalogue.putPolicies(`${rule}---\n${route("v1")}`);
  const compiler = await mesh.start();
  await mesh.announcementOf(4);
  assert.match(await mesh.routes(), /outbound\|http\|v1\|shop\.A/);

  for (const text of [route("v9"), route("v8"), `# the same again\n${route("v8")}`]) {
    const { rejected } = await mesh.announcementOf(mesh.catalogue.putPolicies(text));
    assert.deepEqual(
      rejected.map(({ object, code }) => [object!.key, object!.file, object!.line, code]),
      [["VirtualService/default/vs", "p.yaml", text.startsWith("#") ? 2 : 1, "FL_POLICY_DESTINATION_UNKNOWN"]],
    );
    assert.match(await mesh.routes(), /outbound\|http\|v1\|shop\.A/);
  }
  const unrelated = await mesh.announcementOf(mesh.catalogue.put("service", { interface: "shop.B", protocol: "http" }));
  assert.deepEqual(unrelated.rejected, [], "a change that has nothing to do with it does not report it again");

  await compiler.stop();
  const restarted = new CompilerUnderTest(t, mesh.catalogue, mesh.bus);
  await restarted.start();
  await restarted.announcementOf(0);
  assert.match(await restarted.routes(), /outbound\|http\|v1\|shop\.A/);
});

test("an entry that somebody deletes is written again", async (t) => {
  const mesh = new CompilerUnderTest(t);
  mesh.catalogue.put("service", service);
  await mesh.start();
  await mesh.announcementOf(1);
  const written = mesh.announced.length;
  await (await mesh.bucket()).delete(bucketKeyOf("resource", "rds/everything/outbound"));
  while (mesh.announced.length === written) await new Promise((resolve) => setImmediate(resolve));
  assert.match(await mesh.routes(), /shop\.A/);
});
