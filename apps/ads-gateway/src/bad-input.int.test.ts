import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { typeUrls } from "@fairlead/envoy-api";
import { until } from "@fairlead/testing-basics";
import { VariantClient, type WireRequest, type XdsService, type XdsVariant } from "@fairlead/testing-xds";
import { status } from "@grpc/grpc-js";
import * as fc from "fast-check";
import { clusterForTest, endpointForTest, GatewayUnderTest } from "./gateway-under-test.ts";

const { cluster, endpoint } = typeUrls;
const variants = ["sotw", "delta"] as const;
const services = ["ads", "single"] as const;

/** What a client's mistake may end a stream with; all else would be ours. */
const blamed: ReadonlySet<status> = new Set([status.INVALID_ARGUMENT, status.RESOURCE_EXHAUSTED]);

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** A gateway, and a client that keeps the rules: whatever others do, it is to be served. */
async function withWitness(t: TestContext) {
  const mesh = await GatewayUnderTest.serving([clusterForTest("a"), endpointForTest("a")], {
    config: { newStreamRate: 10_000, debounceQuiet: 1 },
  });
  t.after(() => mesh.stop());
  const connect = (variant: XdsVariant, service: XdsService, nodeId: string) =>
    mesh.closeOnStop(new VariantClient({ address: mesh.address, variant, service, nodeId }));
  const witness = connect("delta", "ads", "witness");
  witness.subscribe(endpoint, "a");
  await witness.nextAcked(endpoint);
  let version = 1;
  const isServed = async () => {
    await mesh.commit({ resources: [endpointForTest("a", String(++version))] });
    assert.equal((await witness.nextAcked(endpoint)).resources[0]!.version, String(version));
  };
  return { mesh, connect, isServed };
}

const someName = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("a", "b", "*", "", "xdstp://x/y/*", "xdstp://x/y/z?b=1&a=2#c", "__proto__") },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
);
const someNames = fc.array(someName, { maxLength: 6 });
const someRequest: fc.Arbitrary<WireRequest> = fc.record({
  typeUrl: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...Object.values(typeUrls)) },
    { weight: 1, arbitrary: fc.constantFrom("", "type.googleapis.com/some.Thing", "no url") },
  ),
  names: someNames,
  subscribe: someNames,
  unsubscribe: someNames,
  nonce: fc.oneof(fc.constantFrom("", "1-1", "2-1", "2-2"), fc.string({ maxLength: 20 })),
  version: fc.string({ maxLength: 20 }),
  error: fc.option(fc.record({ code: fc.integer(), message: fc.string() }), { nil: undefined, freq: 3 }),
  initialVersions: fc.dictionary(someName, fc.constantFrom("", "1", "2"), { maxKeys: 4 }),
});

for (const variant of variants) {
  for (const service of services) {
    test(`requests without sense harm nobody [${variant}, ${service}]`, async (t) => {
      const { connect, isServed, mesh } = await withWitness(t);
      await fc.assert(
        fc.asyncProperty(fc.array(someRequest, { minLength: 1, maxLength: 12 }), async (requests) => {
          const client = connect(variant, service, "fuzz");
          for (const request of requests) client.send(request, cluster);
          const ended = await Promise.race([
            client.ended(cluster),
            client.finish().then(
              () => undefined,
              () => undefined,
            ),
          ]);
          const { code, details } = ended ?? (await client.ended(cluster));
          assert.ok(code === status.OK || blamed.has(code), `${status[code]} ${details}`);
          if (code !== status.OK) assert.match(details, /^FL_XDS_\w+: /);
          client.close();
        }),
        { numRuns: 60 },
      );
      await isServed();
      await until("only the witness is left", async () => (await mesh.connections()).length === 1);
    });

    test(`bytes that are no message end their own stream [${variant}, ${service}]`, async (t) => {
      const { connect, isServed } = await withWitness(t);
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
          const client = connect(variant, service, "fuzz");
          client.sendBytes(cluster, Buffer.from(bytes));
          const { code, details } = await client.ended(cluster);
          assert.ok(blamed.has(code), `${status[code]} ${details}`);
          assert.match(details, /FL_XDS_MALFORMED|FL_NODE_ID_INVALID/);
          client.close();
        }),
        { numRuns: 60 },
      );
      await isServed();
    });
  }

  test(`10,000 names are served, one more is too many [${variant}]`, async (t) => {
    const { connect, isServed } = await withWitness(t);
    const names = Array.from({ length: 9999 }, (_, index) => `e${index}`);
    const client = connect(variant, "ads", "many");
    client.change(endpoint, { subscribe: ["a", ...names] });
    const response = await client.nextAcked(endpoint);
    assert.equal(response.resources.length, 1);
    await isServed();
    client.subscribe(endpoint, "one-more");
    const ended = await client.ended(endpoint);
    assert.equal(ended.code, status.RESOURCE_EXHAUSTED);
    assert.match(ended.details, /FL_XDS_TOO_MANY_NAMES/);
  });

  test(`a flood of requests delays others little, and leaves nothing behind [${variant}]`, async (t) => {
    const { connect, isServed, mesh } = await withWitness(t);
    await isServed();
    const before = heapBytes();
    const flooding = Array.from({ length: 4 }, (_, index) => connect(variant, "ads", `flood-${index}`));
    for (let round = 0; round < 2500; round++) {
      for (const client of flooding) client.change(endpoint, { subscribe: [`e${round % 500}`] }, { nonce: `${round}` });
    }
    const from = performance.now();
    await isServed();
    const tookMs = performance.now() - from;
    assert.ok(tookMs < 5000, `${Math.round(tookMs)} ms`);
    for (const client of flooding) {
      await client.finish().catch(() => undefined);
      client.close();
    }
    await until("only the witness is left", async () => (await mesh.connections()).length === 1);
    const grown = heapBytes() - before;
    assert.ok(grown < 32 * 1024 * 1024, `${grown} bytes more`);
  });
}

test("initial_resource_versions of megabytes are answered in responses that a client takes, and forgotten", async (t) => {
  const { connect, isServed, mesh } = await withWitness(t);
  const initialVersions: Record<string, string> = { a: "1" };
  for (let index = 0; index < 60_000; index++) initialVersions[`cluster-that-is-gone-${index}`] = "0123456789abcdef";
  const before = heapBytes();
  for (let round = 0; round < 3; round++) {
    const client = connect("delta", "ads", "returned");
    client.change(cluster, { subscribe: ["*"] }, { initialVersions });
    let removed = 0;
    while (removed < 60_000) removed += (await client.nextAcked(cluster)).removed.length;
    assert.equal(removed, 60_000);
    client.close();
    await until("only the witness is left", async () => (await mesh.connections()).length === 1);
  }
  await isServed();
  const grown = heapBytes() - before;
  assert.ok(grown < 32 * 1024 * 1024, `${grown} bytes more`);
});
