import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ConfigPushedSchema, GatewayStatusSchema, PendingProxy_State } from "@fairlead/fairlead-api";
import { ConvergenceTracker, type RegisteredProxy } from "./convergence-tracker.ts";
import { MeshConvergence } from "./mesh-convergence.ts";

/** A mesh whose one gateway has revision 1, with these proxies registered. */
function meshWith(proxies: readonly RegisteredProxy[], availableForMs = 60_000) {
  const tracker = new ConvergenceTracker();
  let sequence = 0n;
  const connect = (...connectedNodes: string[]) =>
    tracker.gatewayStatus(
      create(GatewayStatusSchema, {
        gatewayId: "g",
        revision: 1n,
        sequence: ++sequence,
        connected: connectedNodes.length,
        connectedNodes,
      }),
    );
  tracker.configPushed(create(ConfigPushedSchema, { revision: 1n }));
  connect("n1");
  let looks = 0;
  const convergence = new MeshConvergence({
    tracker,
    registeredProxies: async () => {
      looks += 1;
      return proxies;
    },
    leaseTtlMs: 30_000,
    availableForMs: () => availableForMs,
  });
  return { convergence, connect, looks: () => looks };
}

test("all registered proxies are connected: converged at once", async () => {
  const { convergence } = meshWith([{ id: "n1", renewedAgoMs: 0 }]);
  assert.equal((await convergence.wait(1, 1000)).converged, true);
});

test("a registered proxy that is cut off holds the answer back until it is connected again", async () => {
  const { convergence, connect, looks } = meshWith([{ id: "n2", renewedAgoMs: 0 }]);
  const report = await convergence.report(1);
  assert.deepEqual([report.converged, report.missing.map(({ node }) => node)], [false, ["n2"]]);
  const waiting = convergence.wait(1, 10_000);
  while (looks() < 3) await new Promise((resolve) => setImmediate(resolve));
  connect("n1", "n2");
  assert.equal((await waiting).converged, true);
});

test("at the time-out the answer names it", async () => {
  const { convergence } = meshWith([{ id: "n2", renewedAgoMs: 2000 }]);
  const { converged, missing } = await convergence.wait(1, 20);
  assert.equal(converged, false);
  assert.match(missing[0]!.reason, /connected to no ads-gateway; it renewed its lease 2\.0 s ago/);
});

test("one that let half of its lease go by has died, unless leases could not be renewed for so long", async () => {
  const silent = [{ id: "n2", renewedAgoMs: 16_000 }];
  assert.equal((await meshWith(silent).convergence.report(1)).converged, true);
  assert.equal((await meshWith(silent, 10_000).convergence.report(1)).converged, false);
});

test("a refusal is told before the time-out, unless a registered proxy is cut off too", async () => {
  const proxies = [{ id: "n1", renewedAgoMs: 0 }];
  const tracker = new ConvergenceTracker({ refusalGraceMs: 5 });
  tracker.configPushed(create(ConfigPushedSchema, { revision: 1n }));
  tracker.gatewayStatus(
    create(GatewayStatusSchema, {
      gatewayId: "g",
      revision: 1n,
      sequence: 1n,
      connectedNodes: ["n1"],
      pending: [{ nodeId: "n1", state: PendingProxy_State.NACKED, firstRevision: 1n, lastRevision: 1n, detail: "no" }],
    }),
  );
  const convergence = new MeshConvergence({
    tracker,
    registeredProxies: async () => proxies,
    leaseTtlMs: 30_000,
    availableForMs: () => 60_000,
  });
  const report = await convergence.wait(1, 60_000);
  assert.deepEqual([report.converged, report.missing.map(({ node }) => node)], [false, ["n1"]]);
  proxies.push({ id: "n2", renewedAgoMs: 0 });
  assert.deepEqual(
    (await convergence.wait(1, 50)).missing.map(({ node }) => node),
    ["n1", "n2"],
  );
});
