import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { originParameter, RegistryPaths } from "@fairlead/dubbo-registry";
import { until } from "@fairlead/testing-basics";
import { mirroredRegistry } from "./mirrored-instance.ts";
import { RetiredRegistries } from "./retired-registries.ts";
import { afterLossMs, BridgeUnderTest, silent } from "./testing/bridge-under-test.ts";

const paths = new RegistryPaths();
/** Ten times of what it takes on a machine that does nothing else. */
const readDeadlineMs = 5_000;
const changeDeadlineMs = 1_500;

describe("a bridge to Dubbo's registry", () => {
  let mesh: BridgeUnderTest;
  before(async () => (mesh = await BridgeUnderTest.start()));
  after(async () => await mesh.stop());

  test("providers outside are instances in the mesh, instances of the mesh are providers outside, and neither comes back", async () => {
    const path = await mesh.register("org.x.Outside", 1);
    await mesh.publish("n1", "org.x.Inside", 2);
    const one = mesh.bridge("both");
    one.start();
    await until("the outside is in the mesh", async () => (await mesh.mirrored("both")).includes(1));
    await until("the mesh is outside", async () => (await mesh.exported("org.x.Inside")).length === 1);
    const [provider] = await mesh.exported("org.x.Inside");
    assert.deepEqual(
      [provider?.address, provider?.port, provider?.version, provider?.group, provider?.methods, provider?.application],
      ["10.0.0.8", 2, "1.0.0", "blue", ["a"], "mesh-app"],
    );
    // A second mesh on the same ZooKeeper: neither sees what the other has exported.
    const other = mesh.bridge("other", "mesh-b");
    other.start();
    await until("the second mesh has read", async () => (await mesh.mirrored("other")).includes(1));
    await mesh.app.delete(path);
    await until(
      "it is gone from both",
      async () => (await mesh.mirrored("both")).length + (await mesh.mirrored("other")).length === 0,
    );
    assert.deepEqual(
      new Set((await mesh.exported("org.x.Inside")).map(({ parameters }) => parameters.get(originParameter))),
      new Set(["mesh-a", "mesh-b"]),
      "both meshes have the instance of this one database",
    );
    await Promise.all([one.stop(), other.stop()]);
    assert.equal((await mesh.exported("org.x.Inside")).length, 0, "an export ends with its bridge");
  });

  test("one of two replicas owns a registry; the other takes over, and no instance is away meanwhile", async () => {
    await mesh.register("org.x.Kept", 10);
    const [first, second] = [mesh.bridge("ha"), mesh.bridge("ha")];
    first.start();
    await until("the first owns it", () => first.status.owner);
    await until("it is mirrored", async () => (await mesh.mirrored("ha")).includes(10));
    second.start();
    await mesh.register("org.x.Kept", 11);
    await until("a change comes through", async () => (await mesh.mirrored("ha")).includes(11));
    assert.equal(second.status.owner, false);
    const { revision } = await mesh.store.snapshot();
    await first.stop();
    await until("the second has taken over", () => second.status.owner && second.status.connected, afterLossMs);
    await mesh.register("org.x.Kept", 12);
    await until("changes come through it", async () => (await mesh.mirrored("ha")).includes(12));
    assert.deepEqual(await mesh.lostSince(revision, "ha"), []);
    await second.stop();
  });

  test("a bridge that is taken away: after the delay its nodes and policies are removed, unless another replica has it", async () => {
    const path = await mesh.register("org.x.Retired", 70);
    await mesh.app.ensure("/dubbo/config/dubbo");
    const rule = "/dubbo/config/dubbo/org.x.Retired::.configurators";
    const text = "{scope: service, key: org.x.Retired, configs: [{side: consumer, parameters: {timeout: 900}}]}";
    await mesh.app.create(rule, Buffer.from(text), { ephemeral: false });
    const one = mesh.bridge("retired");
    one.start();
    const policies = async () => [...(await mesh.store.snapshot()).policies.values()].filter(({ namespace }) => namespace === "~retired"); // prettier-ignore
    await until("mirrored", async () => (await mesh.mirrored("retired")).includes(70));
    await until("its rule is a policy", async () => (await policies()).some((policy) => policy.text.includes("900ms")));
    const others = [
      ...new Set([...(await mesh.store.snapshot()).nodes.keys()].flatMap((id) => mirroredRegistry(id) ?? [])),
    ];
    const bridged = others.filter((name) => name !== "retired");
    const cleaner = new RetiredRegistries({ bridged, store: mesh.store, delayMs: 300, logger: silent });
    cleaner.start();
    await pause(1_600);
    assert((await mesh.mirrored("retired")).includes(70), "another replica has it");
    await one.stop();
    await until("its instances are gone", async () => (await mesh.mirrored("retired")).length === 0);
    await until("its policies, too", async () => (await policies()).length === 0);
    assert.deepEqual(
      [...(await mesh.store.snapshot()).nodes.keys()].filter((id) => mirroredRegistry(id) === "retired"),
      [],
    );
    await cleaner.stop();
    await Promise.all([mesh.app.delete(rule), mesh.app.delete(path)]);
  });

  test("200 services with 10 providers each are in the mesh soon, and one change at once", async () => {
    const names = Array.from({ length: 200 }, (_, i) => `org.many.Service${i}`);
    await mesh.app.ensure("/dubbo");
    await Promise.all(names.map((name) => mesh.app.ensure(paths.folder(name, "providers"))));
    await Promise.all(names.flatMap((name) => Array.from({ length: 10 }, (_, i) => mesh.register(name, 30_000 + i))));
    const one = mesh.bridge("many");
    const began = performance.now();
    one.start();
    const found = async () => (await mesh.mirrored("many")).filter((port) => port >= 30_000).length;
    await until("all are mirrored", async () => (await found()) === 2_000, afterLossMs);
    assert(performance.now() - began < readDeadlineMs, `after ${performance.now() - began} ms`);
    const since = performance.now();
    await mesh.register("org.many.Service7", 40_000);
    await until("the change", async () => (await found()) === 2_001);
    assert(performance.now() - since < changeDeadlineMs, `after ${performance.now() - since} ms`);
    await one.stop();
  });
});
