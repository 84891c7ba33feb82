import assert from "node:assert/strict";
import { test } from "node:test";
import { type Provider, RegistryPaths } from "@fairlead/dubbo-registry";
import { createLogger } from "@fairlead/logging";
import { recordedRevision, startMetadataProvider } from "./testing/metadata-provider.ts";
import { ZooKeeperApplications } from "./zookeeper-applications.ts";

const logger = createLogger({ service: "test", level: "silent" });
const path = "/services/demo/10.0.0.1:20881";
const stat = { version: 0, ephemeralOwner: 0n, childCount: 0 };

function instance(revision: string, storage: "local" | "remote", port = 20881): string {
  const metadata = {
    "dubbo.endpoints": JSON.stringify([{ port: 20881, protocol: "dubbo" }]),
    "dubbo.metadata.revision": revision,
    "dubbo.metadata.storage-type": storage,
    "dubbo.metadata-service.url-params": JSON.stringify({ port: String(port), protocol: "dubbo" }),
  };
  const payload = { "@class": "org.apache.dubbo.registry.zookeeper.ZookeeperInstance", metadata };
  return JSON.stringify({ name: "demo", id: "10.0.0.1:20881", address: "127.0.0.1", port: 20881, payload });
}
const metadata = (revision: string, name: string) =>
  JSON.stringify({ app: "demo", revision, services: { [name]: { name, protocol: "dubbo" } } });

/** Nodes whose reading is answered when the test says so. */
function nodes(children: Record<string, string[]> = {}) {
  const asked = new Map<string, (text: string) => void>();
  const told: [string, readonly Provider[]][] = [];
  const applications = new ZooKeeperApplications({
    client: {
      children: async (folder) => children[folder] ?? [],
      read: async (node) => {
        const text = await new Promise<string>((resolve) => asked.set(node, resolve));
        return { data: Buffer.from(text), stat };
      },
    },
    paths: new RegistryPaths(),
    onProviders: (source, providers) => told.push([source, providers]),
    logger,
  });
  const answer = async (node: string, text: string) => {
    while (!asked.has(node)) await new Promise((resolve) => setImmediate(resolve));
    const resolve = asked.get(node)!;
    asked.delete(node);
    resolve(text);
  };
  return { applications, answer, children, told };
}

test("an instance that goes while its metadata is read is not told any more", async () => {
  const { applications, answer } = nodes();
  const reading = applications.read(path);
  await answer(path, instance("r1", "remote"));
  applications.forget(path);
  await answer("/dubbo/metadata/demo/r1", metadata("r1", "org.x.Old"));
  assert.equal(await reading, undefined);
});

test("of two readings of one instance only the last one counts, whichever is answered first", async () => {
  const { applications, answer } = nodes();
  const first = applications.read(path);
  await answer(path, instance("r1", "remote"));
  const second = applications.read(path);
  await answer(path, instance("r2", "remote"));
  await answer("/dubbo/metadata/demo/r2", metadata("r2", "org.x.New"));
  await answer("/dubbo/metadata/demo/r1", metadata("r1", "org.x.Old"));
  assert.deepEqual(
    (await second)?.map((provider) => provider.interface),
    ["org.x.New"],
  );
  assert.equal(await first, undefined);
});

test("an instance that was gone when everything was read again is not asked any more", async () => {
  const provider = await startMetadataProvider(1);
  const folders: Record<string, string[]> = { "/services": ["demo"], "/services/demo": ["10.0.0.1:20881"] };
  const { applications, answer, told } = nodes(folders);
  const reading = applications.readAll();
  await answer(path, instance(recordedRevision, "local", provider.port));
  const { providers, asked } = await reading;
  assert.equal(providers.size, 0);
  assert.deepEqual([...asked], [[path, { address: "127.0.0.1", ports: [20881] }]]);
  assert.equal(applications.asked, 1);
  folders["/services/demo"] = [];
  await applications.readAll();
  assert.equal(applications.asked, 0);
  assert.deepEqual(told, []);
  applications.stop();
  await provider.stop();
});
