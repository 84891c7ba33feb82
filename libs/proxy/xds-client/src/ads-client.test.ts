import assert from "node:assert/strict";
import { setImmediate as settle } from "node:timers/promises";
import { afterEach, beforeEach, mock, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { typeUrls } from "@fairlead/envoy-api";
import { type Cluster, ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import {
  type DiscoveryRequest,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { AdsClient } from "./ads-client.ts";
import type { AdsClientOptions } from "./ads-client-options.ts";
import type { AdsStreamHandlers } from "./ads-stream.ts";
import type { ConfigConsumer, ReceivedResource, RejectedResource } from "./config-consumer.ts";

/** A stream whose other end is the test. */
class FakeStream {
  readonly address: string;
  readonly handlers: AdsStreamHandlers;
  readonly sent: DiscoveryRequest[] = [];
  closed = false;
  #nonce = 0;

  constructor(address: string, handlers: AdsStreamHandlers) {
    this.address = address;
    this.handlers = handlers;
  }

  send(request: DiscoveryRequest): void {
    this.sent.push(request);
  }

  close(): void {
    this.closed = true;
  }

  respond(typeUrl: string, version: string, names: readonly string[]): Promise<void> {
    const resources = names.map((name) =>
      create(AnySchema, { typeUrl, value: toBinary(ClusterSchema, create(ClusterSchema, { name })) }),
    );
    return this.respondWith({ typeUrl, versionInfo: version, resources });
  }

  async respondWith(response: Partial<Omit<DiscoveryResponse, "$typeName">>): Promise<void> {
    await this.handlers.received(create(DiscoveryResponseSchema, { nonce: `n${(this.#nonce += 1)}`, ...response }));
  }

  /** The requests since the last call, in short. */
  take(): string[] {
    return this.sent.splice(0).map(({ typeUrl, versionInfo, responseNonce, resourceNames, errorDetail }) => {
      const type = Object.entries(typeUrls).find(([, url]) => url === typeUrl)?.[0] ?? typeUrl;
      const nack = errorDetail === undefined ? "" : ` NACK(${errorDetail.message})`;
      return `${type} [${resourceNames.join(",")}] v=${versionInfo} n=${responseNonce}${nack}`;
    });
  }
}

class FakeConsumer implements ConfigConsumer {
  readonly applied: string[] = [];
  readonly givenUpOn: string[] = [];
  readonly wanted = new Map<string, readonly string[]>([
    [typeUrls.endpoint, []],
    [typeUrls.route, []],
  ]);
  /** What the next `apply` does. */
  onApply: (
    typeUrl: string,
    resources: readonly ReceivedResource[],
  ) => Promise<readonly RejectedResource[]> | readonly RejectedResource[] = () => [];
  #namesChanged: ((typeUrl: string) => void) | undefined;
  #initialized: (() => void) | undefined;

  async apply(typeUrl: string, resources: readonly ReceivedResource[]): Promise<readonly RejectedResource[]> {
    this.applied.push(`${typeUrl.split(".").at(-1)}: ${resources.map(({ name }) => name).join(",")}`);
    return await this.onApply(typeUrl, resources);
  }
  wantedNames(typeUrl: string): readonly string[] | undefined {
    return this.wanted.get(typeUrl);
  }
  onWantedNamesChanged(listener: (typeUrl: string) => void): () => void {
    this.#namesChanged = listener;
    return () => (this.#namesChanged = undefined);
  }
  want(typeUrl: string, names: readonly string[]): void {
    this.wanted.set(typeUrl, names);
    this.#namesChanged?.(typeUrl);
  }
  onClustersInitialized(listener: () => void): void {
    this.#initialized = listener;
  }
  clustersInitialized(): void {
    this.#initialized?.();
  }
  giveUpOn(typeUrl: string): void {
    this.givenUpOn.push(typeUrl);
  }
}

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };
let streams: FakeStream[];
let consumer: FakeConsumer;
let client: AdsClient;

function startClient(options: Partial<AdsClientOptions> = {}): FakeStream {
  client = new AdsClient({
    addresses: ["a:1"],
    node: { id: "node", cluster: "shop", metadata: { zone: "z" }, version: "0.1.0" },
    consumer,
    logger: quiet,
    backOff: { random: () => 0.5 },
    openStream: (address, handlers) => {
      const stream = new FakeStream(address, handlers);
      streams.push(stream);
      return stream;
    },
    ...options,
  });
  client.start();
  return newest();
}
const newest = (): FakeStream => streams.at(-1)!;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  streams = [];
  consumer = new FakeConsumer();
});
afterEach(() => {
  client.stop();
  mock.timers.reset();
});

test("the start follows Envoy's order: CDS, EDS of the clusters, then LDS, then RDS of the listeners", async () => {
  const stream = startClient();
  assert.deepEqual(stream.take(), ["cluster [] v= n="]);
  consumer.onApply = () => {
    consumer.want(typeUrls.endpoint, ["c1", "c2"]);
    return [];
  };
  await stream.respond(typeUrls.cluster, "1", ["c1", "c2"]);
  assert.deepEqual(stream.take(), ["cluster [] v=1 n=n1", "endpoint [c1,c2] v= n="]);
  assert.equal(client.state().phase, "clusters");
  consumer.onApply = () => {
    consumer.clustersInitialized();
    return [];
  };
  await stream.respond(typeUrls.endpoint, "7", ["c1", "c2"]);
  assert.deepEqual(stream.take(), ["endpoint [c1,c2] v=7 n=n2", "listener [] v= n="]);
  consumer.onApply = () => {
    consumer.want(typeUrls.route, ["outbound"]);
    return [];
  };
  await stream.respond(typeUrls.listener, "3", ["outbound"]);
  assert.deepEqual(stream.take(), ["listener [] v=3 n=n3", "route [outbound] v= n="]);
  assert.equal(client.state().phase, "listeners");
  consumer.onApply = () => [];
  await stream.respond(typeUrls.route, "4", ["outbound"]);
  assert.deepEqual(stream.take(), ["route [outbound] v=4 n=n4"]);
  assert.equal(client.state().phase, "initialized");
  assert.deepEqual(consumer.givenUpOn, []);
});

test("only a stream's first request carries the node", async () => {
  const stream = startClient();
  await stream.respond(typeUrls.cluster, "1", []);
  const [first, second] = stream.sent;
  assert.equal(first?.node?.id, "node");
  assert.equal(first?.node?.cluster, "shop");
  assert.deepEqual(first?.node?.metadata, { zone: "z" });
  assert.equal(first?.node?.userAgentName, "fairlead");
  assert.deepEqual(first?.node?.userAgentVersionType, { case: "userAgentVersion", value: "0.1.0" });
  assert.equal(second?.node, undefined);
  stream.handlers.ended("gone");
  mock.timers.tick(500);
  assert.equal(newest().sent[0]?.node?.id, "node");
});

test("a NACK names each resource with its reason, keeps the old version, and a later good version is ACKed", async () => {
  const stream = startClient();
  await stream.respond(typeUrls.cluster, "1", ["a"]);
  stream.take();
  consumer.onApply = () => [
    { name: "a", reason: "no address" },
    { name: "b", reason: "no port" },
  ];
  await stream.respond(typeUrls.cluster, "2", ["a", "b"]);
  assert.equal(stream.sent[0]?.errorDetail?.code, 13);
  assert.deepEqual(stream.take(), ["cluster [] v=1 n=n2 NACK(a: no address; b: no port)"]);
  assert.equal(client.state().types[0]?.lastNack?.reason, "a: no address; b: no port");
  consumer.onApply = () => [];
  await stream.respond(typeUrls.cluster, "3", ["a"]);
  assert.deepEqual(stream.take(), ["cluster [] v=3 n=n3"]);
  assert.equal(client.state().types[0]?.lastNack, undefined);
});

test("a failing consumer becomes a NACK", async () => {
  const stream = startClient();
  stream.take();
  consumer.onApply = () => {
    throw new Error("boom");
  };
  await stream.respond(typeUrls.cluster, "1", ["a"]);
  assert.deepEqual(stream.take(), ["cluster [] v= n=n1 NACK(all resources: boom)"]);
});

for (const [what, resources, reason] of [
  [
    "an Any of another type",
    [{ typeUrl: typeUrls.listener, value: new Uint8Array() }],
    /resources\[0\]: it is a .*Listener, not a .*Cluster/,
  ],
  [
    "cut-off protobuf",
    [{ typeUrl: typeUrls.cluster, value: Uint8Array.of(0x0a, 0x7f, 0x61) }],
    /resources\[0\]: it is not well-formed/,
  ],
  [
    "invalid UTF-8 in the name",
    [{ typeUrl: typeUrls.cluster, value: Uint8Array.of(0x0a, 1, 0xff) }],
    /not well-formed/,
  ],
  ["a resource without a name", [{ typeUrl: typeUrls.cluster, value: new Uint8Array() }], /it has no name/],
  ["a name twice", [cluster("a"), cluster("a")], /a: the name is in the response twice/],
] as const) {
  test(`${what} is a NACK, and nothing of the response is applied`, async () => {
    const stream = startClient();
    await stream.respondWith({
      typeUrl: typeUrls.cluster,
      versionInfo: "1",
      resources: [cluster("good"), ...resources].map((any) => create(AnySchema, any)).toReversed(),
    });
    assert.match(
      stream.sent.at(-1)?.errorDetail?.message ?? "",
      new RegExp(reason.source.replace("\\[0\\]", "\\[\\d\\]")),
    );
    assert.deepEqual(consumer.applied, []);
  });
}
function cluster(name: Cluster["name"]): { typeUrl: string; value: Uint8Array } {
  return { typeUrl: typeUrls.cluster, value: toBinary(ClusterSchema, create(ClusterSchema, { name })) };
}

test("an unknown type is refused; a type that was not asked for gets no answer, which would subscribe to it", async () => {
  const stream = startClient();
  stream.take();
  await stream.respondWith({ typeUrl: "type.googleapis.com/x.Y" });
  await stream.respond(typeUrls.listener, "1", ["early"]);
  assert.deepEqual(stream.take(), [
    "type.googleapis.com/x.Y [] v= n=n1 NACK(this proxy does not know the type type.googleapis.com/x.Y)",
  ]);
  assert.deepEqual(consumer.applied, []);
});

test("changes of names while a response is applied become one request, after its ACK", async () => {
  const stream = startClient();
  stream.take();
  let finish: (() => void) | undefined;
  consumer.onApply = async () => {
    consumer.want(typeUrls.endpoint, ["a"]);
    await new Promise<void>((resolve) => (finish = resolve));
    consumer.want(typeUrls.endpoint, ["a", "b"]);
    return [];
  };
  const handled = stream.respond(typeUrls.cluster, "1", ["a", "b"]);
  await settle();
  assert.deepEqual(stream.take(), []);
  finish?.();
  await handled;
  assert.deepEqual(stream.take(), ["cluster [] v=1 n=n1", "endpoint [a,b] v= n="]);
});

test("names that change later are asked for with the current nonce; unchanged ones are not asked for again", async () => {
  const stream = startClient();
  consumer.want(typeUrls.endpoint, ["a"]);
  await stream.respond(typeUrls.endpoint, "1", ["a"]);
  stream.take();
  consumer.want(typeUrls.endpoint, ["a"]);
  consumer.want(typeUrls.endpoint, ["b", "a"]);
  consumer.want(typeUrls.endpoint, []);
  assert.deepEqual(stream.take(), ["endpoint [b,a] v=1 n=n1", "endpoint [] v=1 n=n1"]);
});

test("a new stream goes on from the last versions, without nonces, and asks in order for all that is wanted", async () => {
  const stream = startClient();
  consumer.want(typeUrls.endpoint, ["a"]);
  await stream.respond(typeUrls.cluster, "c1", ["a"]);
  await stream.respond(typeUrls.endpoint, "e1", ["a"]);
  consumer.clustersInitialized();
  await stream.respond(typeUrls.listener, "l1", ["outbound"]);
  stream.handlers.ended("gone");
  assert.equal(client.state().connected, false);
  assert.equal(client.state().lastError, "gone");
  // Routes were not asked for.
  assert.deepEqual(
    client.state().types.map(({ type, failures }) => [type, failures]),
    [
      ["cds", 1],
      ["eds", 1],
      ["sds", 0],
      ["lds", 1],
      ["rds", 0],
    ],
  );
  consumer.want(typeUrls.endpoint, ["a", "b"]);
  mock.timers.tick(250);
  assert.equal(streams.length, 2);
  assert.deepEqual(newest().take(), ["cluster [] v=c1 n=", "endpoint [a,b] v=e1 n=", "listener [] v=l1 n="]);
});

test("what is applied when the stream is lost counts, and is not ACKed on the next stream", async () => {
  const stream = startClient();
  let finish: (() => void) | undefined;
  consumer.onApply = async () => {
    await new Promise<void>((resolve) => (finish = resolve));
    return [];
  };
  const handled = stream.respond(typeUrls.cluster, "1", ["a"]);
  await settle();
  stream.handlers.ended("gone");
  mock.timers.tick(500);
  consumer.onApply = () => [];
  assert.deepEqual(newest().take(), [], "nothing is asked for while a response is applied");
  await newest().respond(typeUrls.cluster, "1", ["b"]);
  assert.deepEqual(consumer.applied, ["Cluster: a"], "one response is applied at a time");
  finish?.();
  await handled;
  const requests = newest().take();
  assert.ok(
    requests.every((request) => request.endsWith("n=")),
    requests.join(),
  );
  assert.equal(client.state().types[0]?.version, "1");
});

test("a response of a lost stream is not applied", async () => {
  const stream = startClient();
  stream.handlers.ended("gone");
  await stream.respond(typeUrls.cluster, "1", ["a"]);
  assert.deepEqual(consumer.applied, []);
});

test("gateways are tried in turn; after a whole round the waits double up to the limit, and a healthy stream resets them", async () => {
  startClient({ addresses: ["a:1", "b:2"], backOff: { random: () => 0.999, maxMs: 2000 } });
  const delays: number[] = [];
  const waitForNext = (): void => {
    const before = streams.length;
    let waited = 0;
    while (streams.length === before) {
      mock.timers.tick(50);
      waited += 50;
    }
    delays.push(waited);
  };
  for (let attempt = 0; attempt < 8; attempt += 1) {
    newest().handlers.ended("refused");
    waitForNext();
  }
  assert.deepEqual(delays, [500, 500, 500, 1000, 500, 2000, 500, 2000]);
  assert.deepEqual(streams.map(({ address }) => address).slice(0, 4), ["a:1", "b:2", "a:1", "b:2"]);
  // Answered, but lost at once: a gateway that crashes on each stream is not hammered: the waits go on from 1 s.
  await newest().respond(typeUrls.cluster, "1", []);
  newest().handlers.ended("crashed");
  waitForNext();
  newest().handlers.ended("crashed");
  waitForNext();
  assert.deepEqual(delays.slice(-2), [500, 1000]);
  await newest().respond(typeUrls.cluster, "1", []);
  mock.timers.tick(5000);
  newest().handlers.ended("restarted");
  waitForNext();
  newest().handlers.ended("refused");
  waitForNext();
  assert.deepEqual(delays.slice(-2), [500, 500]);
});

test("without a gateway the initial fetch times out type by type, and the proxy goes on with what it has", () => {
  startClient().handlers.ended("refused");
  mock.timers.tick(14_999);
  assert.deepEqual(consumer.givenUpOn, []);
  mock.timers.tick(1);
  assert.deepEqual(consumer.givenUpOn, [typeUrls.cluster]);
  assert.equal(client.state().phase, "listeners");
  mock.timers.tick(15_000);
  assert.deepEqual(consumer.givenUpOn, [typeUrls.cluster, typeUrls.listener]);
  assert.equal(client.state().phase, "initialized");
  assert.deepEqual(
    client.state().types.map(({ initialFetchTimeouts }) => initialFetchTimeouts),
    [1, 0, 0, 1, 0],
  );
});

test("endpoints that never come are given up on; those of a cluster that comes later get a wait of their own", async () => {
  const stream = startClient();
  await stream.respond(typeUrls.cluster, "1", ["a", "b"]);
  consumer.want(typeUrls.endpoint, ["a", "b"]);
  await stream.respond(typeUrls.endpoint, "1", ["a"]);
  mock.timers.tick(15_000);
  assert.deepEqual(consumer.givenUpOn, [typeUrls.endpoint]);
  mock.timers.tick(60_000);
  assert.equal(consumer.givenUpOn.filter((typeUrl) => typeUrl === typeUrls.endpoint).length, 1);
  consumer.want(typeUrls.endpoint, ["a", "b", "c"]);
  mock.timers.tick(15_000);
  assert.equal(consumer.givenUpOn.filter((typeUrl) => typeUrl === typeUrls.endpoint).length, 2);
});

test("stop ends the stream and every timer", () => {
  const stream = startClient();
  client.stop();
  assert.equal(stream.closed, true);
  mock.timers.tick(120_000);
  assert.deepEqual(consumer.givenUpOn, []);
  assert.equal(streams.length, 1);
});
