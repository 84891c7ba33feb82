import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { buckets } from "@fairlead/bus";
import { connectNats } from "@fairlead/bus-nats";
import { createLogger } from "@fairlead/logging";
import { until } from "@fairlead/testing-basics";
import { startTestNats, type TestNats } from "@fairlead/testing-servers";
import { XdsTestClient } from "@fairlead/testing-xds";
import { clusterForTest } from "./gateway-under-test.ts";
import { CommitWriter } from "./testing/commit-writer.ts";
import { FollowingProxy } from "./testing/following-proxy.ts";
import { GatewayProcess } from "./testing/gateway-process.ts";

const logger = createLogger({ service: "test", level: "silent" });
const patienceMs = 30_000;

/** Gateways as processes on a real nats-server, the compiler's part of it, and proxies. */
class Mesh {
  readonly nats: TestNats;
  readonly writer: CommitWriter;
  readonly gateways: readonly GatewayProcess[];
  readonly #t: TestContext;

  private constructor(parts: Pick<Mesh, "nats" | "writer" | "gateways">, t: TestContext) {
    this.nats = parts.nats;
    this.writer = parts.writer;
    this.gateways = parts.gateways;
    this.#t = t;
  }

  static async start(t: TestContext, size: { readonly gateways: number }): Promise<Mesh> {
    const nats = await startTestNats();
    t.after(() => nats.stop());
    const bus = await connectNats({ servers: nats.url, name: "test", logger, publishTimeoutMs: 2000 });
    t.after(() => bus.close());
    const writer = new CommitWriter(await bus.keyValue(buckets.xds));
    const gateways = await Promise.all(Array.from({ length: size.gateways }, () => GatewayProcess.start(nats.url)));
    t.after(() => Promise.all(gateways.map((gateway) => gateway.stop("SIGKILL"))));
    return new Mesh({ nats, writer, gateways }, t);
  }

  /** Tries until the bus takes it. */
  async commit(...clusters: readonly [name: string, version: string][]): Promise<void> {
    const resources = clusters.map(([name, version]) => clusterForTest(name, version));
    await until(
      "the bus takes it",
      () =>
        this.writer.commit({ resources }).then(
          () => true,
          () => false,
        ),
      patienceMs,
    );
  }

  async ready(): Promise<void> {
    await Promise.all(this.gateways.map((gateway) => gateway.ready()));
  }

  /** Its first gateway is the one with the index. */
  proxy(nodeId: string, first: number): FollowingProxy {
    const addresses = this.gateways.map((gateway) => gateway.address);
    const order = [...addresses.slice(first), ...addresses.slice(0, first)];
    const proxy = new FollowingProxy({
      connect: (address) => new XdsTestClient({ address, nodeId, timeoutMs: 120_000 }),
      addresses: order,
    });
    this.#t.after(() => proxy.stop());
    return proxy;
  }

  async held(proxies: readonly FollowingProxy[], ...wanted: readonly string[]): Promise<void> {
    const text = wanted.toSorted().join(" ");
    const stale = () => proxies.filter((proxy) => shown(proxy) !== text);
    await until("all proxies hold it", () => stale().length === 0, patienceMs).catch(() => {
      const [one] = stale();
      const logs = this.gateways.map((gateway) => gateway.log.slice(-2000)).join("\n---\n");
      assert.fail(`a proxy of ${one?.address} has ${one === undefined ? "" : shown(one)}, not ${text}\n${logs}`);
    });
  }
}

function shown(proxy: FollowingProxy): string {
  return [...proxy.held].map(([name, version]) => `${name}@${version}`).join(" ");
}

test("NATS is lost and comes back, paused, killed or wiped: proxies keep what they have, and no stream is left stale", async (t) => {
  const mesh = await Mesh.start(t, { gateways: 2 });
  await mesh.commit(["a", "1"], ["b", "1"]);
  await mesh.ready();
  const proxies = [mesh.proxy("n1", 0), mesh.proxy("n2", 1)];
  await mesh.held(proxies, "a@1", "b@1");
  const losses: readonly [string, () => Promise<void>][] = [
    ["killed", () => mesh.nats.kill().then(() => mesh.nats.restart())],
    [
      "paused",
      async () => {
        mesh.nats.pause();
        await assert.rejects(mesh.writer.stage({}), "a write takes until its time-out");
        mesh.nats.resume();
      },
    ],
    ["wiped", () => mesh.nats.kill().then(() => mesh.nats.restart({ wipe: true }))],
  ];
  for (const [how, lose] of losses) {
    await lose();
    // A compiler whose bucket is gone writes all of it.
    if (how === "wiped") {
      const bus = await connectNats({ servers: mesh.nats.url, name: "test", logger });
      t.after(() => bus.close());
      const writer = new CommitWriter(await bus.keyValue(buckets.xds));
      writer.revision = mesh.writer.revision;
      await writer.commit({ resources: [clusterForTest("a", how), clusterForTest("b", "1")] });
    } else {
      await mesh.commit(["a", how]);
    }
    await mesh.held(proxies, `a@${how}`, "b@1");
  }
  for (const { history, streams } of proxies) {
    assert.equal(streams, 1, "a proxy's stream does not end when NATS does");
    assert.ok(
      history.every((clusters) => /^a@\w+ b@1$/.test(clusters)),
      `it was sent ${history.join("; ")}`,
    );
  }
});

test("half a commit is never served, also when NATS restarts in the middle of it", async (t) => {
  const mesh = await Mesh.start(t, { gateways: 2 });
  await mesh.commit(["a", "1"], ["b", "1"]);
  await mesh.ready();
  const proxies = [mesh.proxy("n1", 0), mesh.proxy("n2", 1)];
  await mesh.held(proxies, "a@1", "b@1");
  // The compiler dies between two of its writes.
  await mesh.writer.stage({ resources: [clusterForTest("a", "2")] });
  await mesh.nats.restart();
  // A gateway that begins now has nothing but the first half: what it would serve is neither the old nor the new state.
  await mesh.gateways[1]!.stop("SIGKILL");
  mesh.gateways[1]!.start();
  await mesh.gateways[1]!.waiting();
  await mesh.commit(["a", "2"], ["b", "2"]);
  await mesh.ready();
  await mesh.held(proxies, "a@2", "b@2");
  for (const { history } of proxies) {
    assert.ok(!history.some((clusters) => clusters === "a@2 b@1"), `it was sent ${history.join("; ")}`);
  }
});

test("a gateway that dies, one that is stopped, and one that starts without NATS: proxies go on at the others", async (t) => {
  const mesh = await Mesh.start(t, { gateways: 2 });
  const [first, second] = mesh.gateways as [GatewayProcess, GatewayProcess];
  await mesh.commit(["a", "1"]);
  await mesh.ready();
  const proxies = [mesh.proxy("n1", 0), mesh.proxy("n2", 0), mesh.proxy("n3", 1)];
  await mesh.held(proxies, "a@1");

  await first.stop("SIGKILL");
  await mesh.commit(["a", "2"]);
  await mesh.held(proxies, "a@2");
  assert.ok(proxies.every(({ address }) => address === second.address));

  first.start();
  await first.ready();
  assert.equal(await second.stop("SIGTERM"), 0);
  await mesh.commit(["a", "3"]);
  await mesh.held(proxies, "a@3");
  assert.ok(proxies.every(({ address }) => address === first.address));

  await mesh.nats.kill();
  second.start();
  await first.stop("SIGKILL");
  await mesh.nats.restart();
  await second.ready();
  await mesh.commit(["a", "4"]);
  await mesh.held(proxies, "a@4");
  for (const { history } of proxies) {
    const versions = history.map((clusters) => Number(clusters.replace("a@", "")));
    assert.deepEqual(
      versions,
      versions.toSorted((a, b) => a - b),
      "nobody goes back to an older configuration",
    );
  }
});

test("changes without a pause while NATS and gateways are killed in turn: in the end all have the last one", async (t) => {
  const mesh = await Mesh.start(t, { gateways: 2 });
  await mesh.commit(["a", "0"]);
  await mesh.ready();
  const proxies = Array.from({ length: 8 }, (_, index) => mesh.proxy(`n${index}`, index % 2));
  await mesh.held(proxies, "a@0");
  const disturbances: Readonly<Record<number, () => Promise<unknown>>> = {
    10: () => mesh.nats.restart(),
    20: () => mesh.gateways[0]!.stop("SIGKILL"),
    25: async () => mesh.gateways[0]!.start(),
    35: () => mesh.nats.restart(),
    45: () => mesh.gateways[0]!.ready().then(() => mesh.gateways[1]!.stop("SIGKILL")),
    50: async () => mesh.gateways[1]!.start(),
  };
  for (let version = 1; version <= 60; version++) {
    await disturbances[version]?.();
    await mesh.commit(["a", String(version)]);
  }
  await mesh.ready();
  await mesh.held(proxies, "a@60");
  const pending = await Promise.all(
    mesh.gateways.map(async ({ debugUrl }) => await (await fetch(`${debugUrl}/debug/push_status`)).json()),
  );
  assert.deepEqual(
    pending.map((status) => (status as { revision: number }).revision),
    [mesh.writer.revision, mesh.writer.revision],
  );
});
