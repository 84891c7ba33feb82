import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { afterLossMs, BridgeUnderTest } from "./testing/bridge-under-test.ts";

let mesh: BridgeUnderTest;
before(async () => (mesh = await BridgeUnderTest.start()));
after(async () => await mesh.stop());

test("PostgreSQL away for longer than a lock lasts: what is exported stays, and there is one owner afterwards", async () => {
  await mesh.publish("mine", "org.x.Mine", 9);
  await mesh.register("org.x.Theirs", 41);
  const [one, other] = [mesh.bridge("outage", "mesh-outage"), mesh.bridge("outage", "mesh-outage")];
  one.start();
  const exported = async () => (await mesh.exported("org.x.Mine", "mesh-outage")).length;
  await until("exported", async () => (await exported()) === 1);
  other.start();
  await until("read", async () => (await mesh.mirrored("outage")).length === 1);
  await mesh.postgres.kill();
  await until("nobody owns it", () => !one.status.owner && !other.status.owner, afterLossMs);
  assert.equal(await exported(), 1);
  await mesh.register("org.x.Theirs", 42);
  await mesh.postgres.restart();
  await until("one owns it", () => one.status.owner || other.status.owner, afterLossMs);
  const owner = one.status.owner ? one : other;
  await until("what changed meanwhile", async () => (await mesh.mirrored("outage").catch(() => [])).length === 2);
  await until("there by the owner", () => owner.status.connected);
  assert(!(one.status.owner && other.status.owner));
  await until("exported once", async () => (await exported()) === 1);
  await Promise.all([one.stop(), other.stop()]);
  assert.equal(await exported(), 0);
});
