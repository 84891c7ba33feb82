import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { SecretSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { AdsClient } from "./ads-client.ts";
import type { AdsClientOptions } from "./ads-client-options.ts";
import type { ConfigConsumer, ReceivedResource, RejectedResource } from "./config-consumer.ts";
import { scripted, ScriptedAdsServer } from "./testing/scripted-ads-server.ts";

/** Keeps the names of what it got; rejects clusters called "bad". */
class RecordingConsumer implements ConfigConsumer {
  readonly held = new Map<string, readonly string[]>();
  readonly givenUpOn: string[] = [];
  wantedSecrets: readonly string[] = [];
  #initialized: (() => void) | undefined;

  async apply(typeUrl: string, resources: readonly ReceivedResource[]): Promise<readonly RejectedResource[]> {
    const bad = resources.filter(({ name }) => name === "bad");
    this.held.set(
      typeUrl,
      resources.filter((resource) => !bad.includes(resource)).map(({ name }) => name),
    );
    if (typeUrl === typeUrls.cluster) this.#initialized?.();
    return bad.map(({ name }) => ({ name, reason: "it is bad" }));
  }
  wantedNames(typeUrl: string): readonly string[] | undefined {
    if (typeUrl === typeUrls.secret) return this.wantedSecrets;
    return typeUrl === typeUrls.endpoint || typeUrl === typeUrls.route ? [] : undefined;
  }
  onWantedNamesChanged(): () => void {
    return () => undefined;
  }
  onClustersInitialized(listener: () => void): void {
    this.#initialized = listener;
  }
  giveUpOn(typeUrl: string): void {
    this.givenUpOn.push(typeUrl);
  }
}

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const clusters = (...names: string[]) => names.map((name) => scripted(ClusterSchema, create(ClusterSchema, { name })));
const listeners = (...names: string[]) =>
  names.map((name) => scripted(ListenerSchema, create(ListenerSchema, { name })));
let server: ScriptedAdsServer;
let consumer: RecordingConsumer;
let client: AdsClient;

function startClient(options: Partial<AdsClientOptions> = {}): void {
  client = new AdsClient({
    addresses: [server.address],
    node: { id: "node", cluster: "shop", metadata: {}, version: "0.1.0" },
    consumer,
    logger: quiet,
    backOff: { baseMs: 20, maxMs: 100 },
    ...options,
  });
  client.start();
}

/** Waits until the client's state, looked at after each of its changes, is as said. */
async function until(what: string, fits: () => boolean, deadlineMs = 10_000): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      forget();
      reject(new Error(`${what}: not within ${deadlineMs} ms; ${JSON.stringify(client.state())}`));
    }, deadlineMs);
    const check = (): void => {
      if (!fits()) return;
      clearTimeout(timer);
      forget();
      resolve();
    };
    const forget = client.onStateChanged(check);
    check();
  });
}

beforeEach(async () => {
  server = new ScriptedAdsServer();
  consumer = new RecordingConsumer();
  await server.start();
});
afterEach(() => {
  client.stop();
  server.stop();
});

test("clusters, then listeners, each ACKed", async () => {
  server.set(typeUrls.cluster, "c1", clusters("a"));
  server.set(typeUrls.listener, "l1", listeners("outbound"));
  startClient();
  await server.waitFor("ACK of listeners", ({ typeUrl, version }) => typeUrl === typeUrls.listener && version === "l1");
  await until("initialized", () => client.state().phase === "initialized");
  assert.deepEqual(
    server.requests.map(({ typeUrl, version, nack }) => [typeUrl, version, nack]),
    [
      [typeUrls.cluster, "", undefined],
      [typeUrls.cluster, "c1", undefined],
      [typeUrls.listener, "", undefined],
      [typeUrls.listener, "l1", undefined],
    ],
  );
});

test("secrets are asked for by name, before listeners, and a bad one is refused by name", async () => {
  const secrets = (...names: string[]) => names.map((name) => scripted(SecretSchema, create(SecretSchema, { name })));
  consumer.wantedSecrets = ["server", "authority"];
  server.set(typeUrls.cluster, "c1", clusters("a"));
  server.set(typeUrls.secret, "s1", secrets("server", "authority"));
  server.set(typeUrls.listener, "l1", listeners("inbound"));
  startClient();
  await until("initialized", () => client.state().phase === "initialized");
  const asked = server.requests.find(({ typeUrl }) => typeUrl === typeUrls.secret);
  assert.deepEqual(asked?.names, ["server", "authority"]);
  assert.deepEqual(consumer.held.get(typeUrls.secret), ["server", "authority"]);
  server.set(typeUrls.secret, "s2", secrets("server", "bad"));
  const refusal = await server.waitFor("NACK", ({ nack }) => nack !== undefined);
  assert.equal(refusal.typeUrl, typeUrls.secret);
  assert.equal(refusal.version, "s1");
  assert.match(refusal.nack ?? "", /^bad: it is bad$/);
});

test("a gateway that is not there at first is found when it is", async () => {
  server.stop();
  startClient();
  await until("a failed attempt", () => client.state().lastError !== undefined);
  assert.match(client.state().lastError ?? "", /UNAVAILABLE/);
  server.set(typeUrls.cluster, "c1", clusters("a"));
  await server.start();
  await until("connected", () => client.state().connected);
  assert.deepEqual(consumer.held.get(typeUrls.cluster), ["a"]);
});

test("a gateway that refuses (not synced) is left for the next address", async () => {
  const other = new ScriptedAdsServer();
  await other.start();
  try {
    server.refusing = true;
    other.set(typeUrls.cluster, "c1", clusters("a"));
    startClient({ addresses: [server.address, other.address] });
    await until("connected", () => client.state().connected);
    assert.equal(client.state().address, other.address);
  } finally {
    client.stop();
    other.stop();
  }
});

test("a restart in mid-stream keeps what is applied; the new stream goes on from its version", async () => {
  server.set(typeUrls.cluster, "c1", clusters("a", "b"));
  startClient();
  await until("clusters", () => client.state().types[0]?.version === "c1");
  server.stop();
  await until("lost", () => !client.state().connected);
  assert.deepEqual(consumer.held.get(typeUrls.cluster), ["a", "b"]);
  server.set(typeUrls.cluster, "c2", clusters("b"));
  await server.start();
  await until("the new version", () => client.state().types[0]?.version === "c2");
  const first = await server.waitFor(
    "first request",
    ({ stream, typeUrl }) => stream === 2 && typeUrl === typeUrls.cluster,
  );
  assert.deepEqual([first.version, first.nonce, first.request.node?.id], ["c1", "", "node"]);
  assert.deepEqual(consumer.held.get(typeUrls.cluster), ["b"]);
});

test("a NACK is followed by the ACK of a later good version", async () => {
  server.set(typeUrls.cluster, "c1", clusters("a"));
  startClient();
  await server.waitFor("ACK", ({ version }) => version === "c1");
  server.set(typeUrls.cluster, "c2", clusters("a", "bad"));
  const nack = await server.waitFor("NACK", (request) => request.nack !== undefined);
  assert.deepEqual([nack.version, nack.nack, nack.nackCode], ["c1", "bad: it is bad", 13]);
  server.set(typeUrls.cluster, "c3", clusters("a"));
  const ack = await server.waitFor("ACK", ({ version }) => version === "c3");
  assert.equal(ack.nack, undefined);
});

for (const [what, harm] of [
  ["bytes that are no DiscoveryResponse", () => server.sendBytes(Uint8Array.of(0x0a, 0xff, 0xff))],
  [
    "a response over the limit",
    () => server.send({ typeUrl: typeUrls.cluster, versionInfo: "big" }, clusters("x".repeat(200_000))),
  ],
  ["an error status", () => server.endStream()],
] as const) {
  test(`${what}: the stream ends, the configuration stays, and the client comes back`, async () => {
    server.set(typeUrls.cluster, "c1", clusters("a"));
    startClient({ maxResponseBytes: 100_000 });
    await server.waitFor("ACK", ({ version, nonce }) => version === "c1" && nonce !== "");
    harm();
    await until("lost", () => client.state().lastError !== undefined);
    assert.deepEqual(consumer.held.get(typeUrls.cluster), ["a"]);
    await server.waitFor("a second stream", ({ stream, nonce }) => stream === 2 && nonce !== "");
    assert.equal(client.state().connected, true);
  });
}

test("a large response fits", async () => {
  server.set(
    typeUrls.cluster,
    "c1",
    clusters(...Array.from({ length: 60_000 }, (_, index) => `outbound|http||service-${index}.example.internal`)),
  );
  startClient();
  await until("clusters", () => client.state().types[0]?.version === "c1");
  assert.equal(consumer.held.get(typeUrls.cluster)?.length, 60_000);
});
