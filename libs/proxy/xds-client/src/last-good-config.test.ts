import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { typeUrls } from "@fairlead/envoy-api";
import { AdsClient } from "./ads-client.ts";
import type { ReceivedResource } from "./config-consumer.ts";
import { LastGoodConfig } from "./last-good-config.ts";

class Folder implements Disposable {
  readonly path = join(mkdtempSync(join(tmpdir(), "fairlead-last-good-")), "config");
  [Symbol.dispose](): void {
    rmSync(join(this.path, ".."), { recursive: true, force: true });
  }
}

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const named = (...names: string[]): ReceivedResource[] =>
  names.map((name) => ({ name, body: toBinary(ClusterSchema, create(ClusterSchema, { name })) }));
const namesIn = (found: ReadonlyMap<string, readonly ReceivedResource[]>, typeUrl: string): string[] | undefined =>
  found.get(typeUrl)?.map(({ name }) => name);

test("what was kept is there after a restart; nobody else may read it, and no half-written file stays", async () => {
  using folder = new Folder();
  const before = new LastGoodConfig(folder.path, quiet);
  before.keep(typeUrls.cluster, named("a", "b"), undefined);
  before.keep(typeUrls.cluster, named("b", "c"), undefined);
  before.keep(typeUrls.endpoint, named("a", "b"), ["a", "b"]);
  before.keep(typeUrls.endpoint, named("c"), ["b", "c"]);
  await before.flush();
  const found = await new LastGoodConfig(folder.path, quiet).load();
  assert.deepEqual(namesIn(found, typeUrls.cluster), ["b", "c"]);
  assert.deepEqual(namesIn(found, typeUrls.endpoint), ["b", "c"]);
  assert.equal(namesIn(found, typeUrls.listener), undefined);
  assert.equal(statSync(folder.path).mode & 0o777, 0o700);
  for (const file of readdirSync(folder.path)) {
    assert.equal(statSync(join(folder.path, file)).mode & 0o777, 0o600);
    assert.doesNotMatch(file, /new$/);
  }
});

test("a file that others may write, or that is broken, is not used; the rest is", async () => {
  using folder = new Folder();
  const config = new LastGoodConfig(folder.path, quiet);
  for (const typeUrl of [typeUrls.cluster, typeUrls.endpoint, typeUrls.listener])
    config.keep(typeUrl, named("a"), undefined);
  await config.flush();
  const [cluster = "", endpoint = ""] = readdirSync(folder.path).toSorted();
  chmodSync(join(folder.path, cluster), 0o622);
  writeFileSync(join(folder.path, endpoint), "broken");
  const warnings: string[] = [];
  const logger = { ...quiet, warn: (facts: object) => warnings.push(JSON.stringify(facts)) };
  const found = await new LastGoodConfig(folder.path, logger).load();
  assert.equal(found.size, 1);
  assert.equal(warnings.length, 2);
});

test("a proxy that finds no gateway starts with what it had", async () => {
  using folder = new Folder();
  const before = new LastGoodConfig(folder.path, quiet);
  before.keep(typeUrls.cluster, named("a"), undefined);
  await before.flush();
  const applied: string[] = [];
  const client = new AdsClient({
    addresses: ["127.0.0.1:1"],
    node: { id: "node", cluster: "shop", metadata: {}, version: "0" },
    logger: quiet,
    lastGood: new LastGoodConfig(folder.path, quiet),
    lastGoodAfterMs: 1,
    consumer: {
      apply: async (typeUrl, resources) => {
        applied.push(`${typeUrl} ${resources.map(({ name }) => name).join()}`);
        return Promise.resolve([]);
      },
      wantedNames: () => undefined,
      onWantedNamesChanged: () => () => undefined,
      onClustersInitialized: () => undefined,
      giveUpOn: () => undefined,
    },
  });
  await new Promise<void>((resolve) => {
    client.onStateChanged(() => {
      if (applied.length === 4) resolve();
    });
    client.start();
  });
  client.stop();
  assert.equal(applied[0], `${typeUrls.cluster} a`);
});

test("what the last good configuration has is not waited for again", async () => {
  using folder = new Folder();
  const before = new LastGoodConfig(folder.path, quiet);
  const types = [typeUrls.cluster, typeUrls.endpoint, typeUrls.listener, typeUrls.route];
  for (const typeUrl of types) before.keep(typeUrl, named("a"), undefined);
  await before.flush();
  let initialize: () => void = () => undefined;
  const client = new AdsClient({
    addresses: ["127.0.0.1:1"],
    node: { id: "node", cluster: "shop", metadata: {}, version: "0" },
    logger: quiet,
    lastGood: new LastGoodConfig(folder.path, quiet),
    lastGoodAfterMs: 1,
    initialFetchTimeoutMs: 60_000,
    consumer: {
      apply: (typeUrl) => {
        if (typeUrl === typeUrls.endpoint) initialize();
        return Promise.resolve([]);
      },
      wantedNames: (typeUrl) => (typeUrl === typeUrls.endpoint || typeUrl === typeUrls.route ? ["a"] : undefined),
      onWantedNamesChanged: () => () => undefined,
      onClustersInitialized: (listener) => void (initialize = listener),
      giveUpOn: () => undefined,
    },
  });
  await new Promise<void>((resolve) => {
    client.onStateChanged(() => {
      if (client.state().phase === "initialized") resolve();
    });
    client.start();
  });
  client.stop();
});
