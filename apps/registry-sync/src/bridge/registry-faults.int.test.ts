import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { until } from "@fairlead/testing-basics";
import { startTestZooKeeper } from "@fairlead/testing-servers";
import { startTcpRelay } from "@fairlead/zookeeper/testing";
import { afterLossMs, BridgeUnderTest } from "./testing/bridge-under-test.ts";

describe("a bridge when something is lost", () => {
  let mesh: BridgeUnderTest;
  before(async () => (mesh = await BridgeUnderTest.start()));
  after(async () => await mesh.stop());

  test("ZooKeeper wiped: what is in the mesh stays, and what the mesh exports is there again", async () => {
    await mesh.publish("n2", "org.x.Again", 20);
    await mesh.register("org.x.Survivor", 21);
    const one = mesh.bridge("wiped");
    one.start();
    await until("mirrored", async () => (await mesh.mirrored("wiped")).includes(21));
    await until("exported", async () => (await mesh.exported("org.x.Again")).length === 1);
    await mesh.zookeeper.restart({ wipe: true });
    await mesh.reconnect();
    await until("exported again", async () => (await mesh.exported("org.x.Again")).length === 1, afterLossMs);
    assert((await mesh.mirrored("wiped")).includes(21));
    await one.stop();
  });

  test("a network that carries nothing, and a session that expires: nobody alive is lost, who is gone goes after the delay", async () => {
    await mesh.publish("n3", "org.x.Cut", 30);
    const stays = await mesh.register("org.x.CutOutside", 31);
    const goes = await mesh.register("org.x.CutOutside", 32);
    const relay = await startTcpRelay(mesh.zookeeper.port);
    const one = mesh.bridge("cut", "mesh-cut", relay.address);
    one.start();
    const ports = async () =>
      (await mesh.mirrored("cut")).filter((port) => port === 31 || port === 32).toSorted((a, b) => a - b);
    await until("mirrored", async () => (await ports()).join() === "31,32");
    const own = async () => (await mesh.exported("org.x.Cut", "mesh-cut")).length;
    await until("exported", async () => (await own()) === 1);
    relay.cut();
    await mesh.app.delete(goes);
    await until("it is noticed", () => !one.status.connected);
    await until("the session has expired, and the export with it", async () => (await own()) === 0, afterLossMs);
    assert.deepEqual(await ports(), [31, 32], "what was known stays while nobody can look");
    relay.restore();
    relay.reset();
    await until("a new session exports again", async () => (await own()) === 1, afterLossMs);
    await until("who went meanwhile is gone", async () => (await ports()).join() === "31");
    await mesh.app.delete(stays);
    await until("watches go on", async () => (await ports()).length === 0);
    await one.stop();
    await relay.stop();
  });

  test("ZooKeeper killed and started again: nothing is lost, changes come through afterwards", async () => {
    const one = mesh.bridge("killed");
    await mesh.register("org.x.Killed", 40);
    one.start();
    await until("mirrored", async () => (await mesh.mirrored("killed")).includes(40));
    const { revision } = await mesh.store.snapshot();
    await mesh.zookeeper.kill();
    await until("it is noticed", () => !one.status.connected);
    await mesh.zookeeper.restart();
    await until("connected again", () => one.status.connected, afterLossMs);
    await until("the application, too", () => mesh.app.state === "connected", afterLossMs);
    await mesh.register("org.x.Killed", 41);
    await until("a change", async () => (await mesh.mirrored("killed")).includes(41));
    assert.deepEqual(await mesh.lostSince(revision, "killed"), []);
    await one.stop();
  });

  test("an owner whose process is killed: its session ends, another one takes over, and exports what it had", async () => {
    await mesh.publish("n5", "org.x.Taken", 50);
    await mesh.register("org.x.TakenOutside", 51);
    const script = join(import.meta.dirname, "testing/bridge-process.ts");
    const child = spawn(process.execPath, [script, mesh.postgres.url, mesh.zookeeper.address, "taken"], {
      stdio: "inherit",
    });
    const own = async () => (await mesh.exported("org.x.Taken", "mesh-taken")).length;
    await until("it exports", async () => (await own()) === 1);
    await until("it mirrors", async () => (await mesh.mirrored("taken")).includes(51));
    const second = mesh.bridge("taken", "mesh-taken");
    second.start();
    const { revision } = await mesh.store.snapshot();
    child.kill("SIGKILL");
    await until("the second owns it", () => second.status.owner && second.status.connected, afterLossMs);
    await mesh.register("org.x.TakenOutside", 52);
    await until("changes come through it", async () => (await mesh.mirrored("taken")).includes(52));
    // Longer than the session of the one that was killed: its nodes are gone, those of the second are not.
    await pause(2_500);
    await until("exported", async () => (await own()) === 1);
    assert.deepEqual(await mesh.lostSince(revision, "taken"), []);
    await second.stop();
  });

  test("two ZooKeepers at once: each has its own providers in the mesh, and the loss of one touches nothing of the other", async () => {
    const other = await startTestZooKeeper();
    try {
      await mesh.register("org.x.Both", 60);
      const [one, two] = [mesh.bridge("first"), mesh.bridge("second", "mesh-a", other.address)];
      one.start();
      two.start();
      await until("the first is read", async () => (await mesh.mirrored("first")).includes(60));
      await until("the second is connected", () => two.status.connected);
      assert(!(await mesh.mirrored("second")).includes(60));
      await other.kill();
      await until("its loss is noticed", () => !two.status.connected);
      await mesh.register("org.x.Both", 61);
      await until("the first goes on", async () => (await mesh.mirrored("first")).includes(61));
      await Promise.all([one.stop(), two.stop()]);
    } finally {
      await other.stop();
    }
  });
});
