import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { type Bus, buckets, subjects } from "@fairlead/bus";
import { connectNats } from "@fairlead/bus-nats";
import { type ConfigPushed, ConfigPushedSchema } from "@fairlead/fairlead-api";
import { createLogger } from "@fairlead/logging";
import { bucketKeyOf, decodeEntry, parseBucketKey } from "@fairlead/snapshot";
import { startTestNats, type TestNats } from "@fairlead/testing-servers";
import { CatalogueUnderTest } from "./catalogue-under-test.ts";
import { configCompilerConfig } from "./config.ts";
import { createConfigCompiler } from "./module.ts";

const logger = createLogger({ service: "test", level: "silent" });
const maxPayloadBytes = 64 * 1024;

let nats: TestNats;
let bus: Bus;

before(async () => {
  nats = await startTestNats({ maxPayloadBytes });
  bus = await connectNats({ servers: nats.url, name: "test", logger });
});

after(async () => {
  await bus.close();
  await nats.stop();
});

/** What every service of the mesh has, and one that answers with so many random characters. */
const answer = (bytes: number) =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: large}\nspec: {hosts: [shop.A], http: [{directResponse: {status: 200, body: {string: ${randomBytes(bytes / 2).toString("hex")}}}}]}\n`;

test("a resource that is too large for the bus even when packed is held back by name; all else goes on, and its last good stays", async (t) => {
  const announced: ConfigPushed[] = [];
  const watchers: (() => void)[] = [];
  bus.subscribe(subjects.configPushed, ({ data }) => {
    announced.push(fromBinary(ConfigPushedSchema, data));
    for (const watcher of watchers.splice(0)) watcher();
  });
  const announcementOf = async (revision: number) => {
    for (;;) {
      const found = announced.find((message) => Number(message.revision) >= revision);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => watchers.push(resolve));
    }
  };
  const bucket = await bus.keyValue(buckets.xds);
  const bytesOf = async (key: string) => {
    const bucketKey = bucketKeyOf("resource", key);
    const entry = decodeEntry(parseBucketKey(bucketKey)!, (await bucket.get(bucketKey))!.value!);
    return entry.kind === "resource" ? Buffer.from(entry.value.body).toString("latin1") : "";
  };

  const catalogue = new CatalogueUnderTest();
  for (const name of ["shop.A", "shop.B"]) catalogue.put("service", { interface: name, protocol: "http" });
  const small = catalogue.putPolicies(answer(100));
  const compiler = createConfigCompiler(
    configCompilerConfig.load({ FAIRLEAD_HTTP_PORT: "0", FAIRLEAD_POLL_INTERVAL: "20ms" }),
    { bus, store: catalogue, logger, telemetry: { serveMetrics: () => undefined } },
  );
  await compiler.start();
  t.after(async () => await compiler.stop());
  await announcementOf(small);
  const lastGood = await bytesOf("rds/everything/outbound");

  const { rejected } = await announcementOf(catalogue.putPolicies(answer(300_000)));
  assert.deepEqual(
    [...new Set(rejected.map(({ object, code }) => `${object!.kind} ${object!.key} ${code}`))],
    ["policy VirtualService/default/large FL_BUS_MESSAGE_TOO_LARGE"],
  );
  assert.equal(await bytesOf("rds/everything/outbound"), lastGood);

  const other = await announcementOf(catalogue.put("service", { interface: "shop.C", protocol: "http" }));
  assert.ok(other.changedKeys.includes(bucketKeyOf("resource", "cds/outbound|http||shop.C")));
  assert.equal(compiler.role, "active");

  const { rejected: none } = await announcementOf(catalogue.putPolicies(answer(200)));
  assert.deepEqual(none, []);
  assert.match(await bytesOf("rds/everything/outbound"), /shop\.C/);
});
