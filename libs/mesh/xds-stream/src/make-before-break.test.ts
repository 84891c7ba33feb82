import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { cluster, connectedStream, endpoint, type ResponseForTest, route } from "./stream-under-test.ts";

/** Routes are named r; their version is the cluster that they send to. Every cluster has endpoints. */
for (const variant of ["sotw", "delta"] as const) {
  test(`rule 63: at any prefix of its log the client has each cluster that its routes name, with endpoints, and ends with the final state [${variant}]`, () =>
    property(variant));
}

function property(variant: "sotw" | "delta"): void {
  const all = ["a", "b", "c"] as const;
  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        target: fc.constantFrom(...all),
        spare: fc.subarray([...all]),
        version: fc.constantFrom(1, 2),
      }),
    },
    { weight: 4, arbitrary: fc.constantFrom(cluster, route, endpoint) },
    { weight: 1, arbitrary: fc.constantFrom("release" as const, "release endpoints" as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const t = connectedStream(variant);
      const inbox: ResponseForTest[] = [];
      const has = { clusters: new Set(["a"]), route: "a", endpoints: new Set(["a"]) };
      /** Clusters to their versions, and those that wait for endpoints (rule 64). */
      const versions = new Map([["a", "1"]]);
      const warming = new Set<string>();
      let endpointNonce = "s1-2";
      let target = "a";
      let clusters: ReadonlySet<string> = new Set(["a"]);
      const apply = ({ typeUrl, nonce, bodies: contents, removed }: ResponseForTest) => {
        const parts = contents.map((body) => body.split("@"));
        if (typeUrl === cluster && variant === "sotw") has.clusters = new Set();
        if (typeUrl === cluster) for (const [name] of parts) has.clusters.add(name!);
        if (typeUrl === cluster) for (const name of removed) has.clusters.delete(name);
        if (typeUrl === cluster) for (const name of versions.keys()) if (!has.clusters.has(name)) versions.delete(name);
        if (typeUrl === cluster) {
          for (const [name, version] of parts) {
            if (versions.get(name!) !== version) warming.add(name!);
            versions.set(name!, version!);
          }
        }
        if (typeUrl === endpoint) for (const [name] of parts) warming.delete(name!);
        for (const name of warming) if (!has.clusters.has(name)) warming.delete(name);
        if (typeUrl === endpoint) for (const name of removed) has.endpoints.delete(name);
        if (typeUrl === route) has.route = parts[0]![1]!;
        if (typeUrl === endpoint) for (const [name] of parts) has.endpoints.add(name!);
        if (typeUrl === endpoint) endpointNonce = nonce;
        for (const name of has.endpoints) if (!has.clusters.has(name)) has.endpoints.delete(name);
        assert.ok(
          has.clusters.has(has.route),
          `the route names ${has.route}, the client has ${[...has.clusters].join()}`,
        );
        assert.ok(has.endpoints.has(has.route), `the route names ${has.route}, which has no endpoints yet`);
        const names = typeUrl === cluster ? [] : typeUrl === route ? ["r"] : [...has.clusters];
        inbox.push(...t.request(typeUrl, names, nonce));
        if (typeUrl === cluster) inbox.push(...t.request(endpoint, [...has.clusters], endpointNonce));
      };
      const answer = (typeUrl: string) => {
        // Responses arrive in order: what came before the one of this type is taken first.
        const index = inbox.findIndex((response) => response.typeUrl === typeUrl);
        for (const response of inbox.splice(0, index + 1)) apply(response);
      };
      for (const one of steps) {
        if (one === "release" || one === "release endpoints") {
          if (one === "release") t.stream.release();
          else t.stream.releaseEndpoints();
          inbox.push(...t.take());
        } else if (typeof one === "string") {
          answer(one);
        } else {
          const wanted = new Set<string>([one.target, ...one.spare]);
          const removed = [...clusters].filter((name) => !wanted.has(name)).map((name) => `-${name}`);
          ({ target } = one);
          clusters = wanted;
          t.announce({
            [cluster]: [...removed, ...[...wanted].map((name) => `${name}@${one.version}`)],
            [endpoint]: [...removed, ...[...wanted].map((name) => `${name}@1`)],
            [route]: [`r@${one.target}`],
          });
        }
      }
      t.stream.release();
      inbox.push(...t.take());
      for (let answers = 0; inbox.length > 0; answers++) {
        assert.ok(answers < 200, "it goes on for ever");
        apply(inbox.shift()!);
      }
      assert.equal(has.route, target);
      assert.deepEqual([...warming], [], "rule 64: replaced clusters got their endpoints");
      assert.deepEqual([...has.clusters].sort(), [...clusters].sort());
      assert.deepEqual(t.stream.pending(), []);
    }),
    { numRuns: 3000 },
  );
}
