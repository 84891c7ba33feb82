import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { RegistryPaths } from "@fairlead/dubbo-registry";
import { until } from "@fairlead/testing-basics";
import { BridgeUnderTest } from "./testing/bridge-under-test.ts";
import { recordedRevision, startMetadataProvider } from "./testing/metadata-provider.ts";

const paths = new RegistryPaths();
const instancePath = paths.instance("shop", "127.0.0.1:20880");

function instance(metadataPort: number): Buffer {
  const metadata = {
    "dubbo.endpoints": JSON.stringify([{ port: 20_880, protocol: "dubbo" }]),
    "dubbo.metadata.revision": recordedRevision,
    "dubbo.metadata.storage-type": "local",
    "dubbo.metadata-service.url-params": JSON.stringify({ port: String(metadataPort), protocol: "dubbo" }),
  };
  const payload = { "@class": "org.apache.dubbo.registry.zookeeper.ZookeeperInstance", metadata };
  const facts = { name: "shop", id: "127.0.0.1:20880", address: "127.0.0.1", port: 20_880, payload };
  return Buffer.from(JSON.stringify(facts));
}

describe("instances that only say themselves what they serve", () => {
  let mesh: BridgeUnderTest;
  before(async () => (mesh = await BridgeUnderTest.start()));
  after(async () => await mesh.stop());
  const untilPorts = (...expected: number[]) =>
    until(`ports ${expected.join()}`, async () => {
      const found = await mesh.mirrored("a");
      return found.toSorted((x, y) => x - y).join() === expected.join();
    });

  test("one that does not answer an owner that takes over stays in the mesh, until it is gone from the registry", async () => {
    const told = await startMetadataProvider();
    await mesh.app.ensure(paths.application("shop"));
    await mesh.app.create(instancePath, instance(told.port), { ephemeral: true });
    for (const port of [1, 2]) await mesh.register("org.x.Other", port);
    const third = await mesh.register("org.x.Other", 3);
    const first = mesh.bridge("a");
    first.start();
    await untilPorts(1, 2, 3, 20_880);
    await first.stop();
    await told.stop();
    const second = mesh.bridge("a");
    second.start();
    await until("the second one has it", () => second.status.connected);
    await mesh.register("org.x.Other", 4);
    await untilPorts(1, 2, 3, 4, 20_880);
    // What goes now goes later than what was missing when everything was read.
    await mesh.app.delete(third);
    await untilPorts(1, 2, 4, 20_880);
    assert.equal(second.status.asked, 1);
    await mesh.app.delete(instancePath);
    await untilPorts(1, 2, 4);
    assert.equal(second.status.asked, 0);
    await second.stop();
  });
});
