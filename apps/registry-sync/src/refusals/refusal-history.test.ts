import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { type GatewayStatus, GatewayStatusSchema, PendingProxy_State } from "@fairlead/fairlead-api";
import type { Refusal } from "@fairlead/registration";
import { RefusalHistory } from "./refusal-history.ts";

const pending = (nodeId: string) => ({ nodeId, typeUrl: typeUrls.route, state: PendingProxy_State.NACKED });
const nack = (nodeId: string, nonce: string, atMs = 1000) => ({
  nodeId,
  typeUrl: typeUrls.route,
  resourceNames: ["outbound"],
  reason: "virtual_hosts[0]:\n\u001b[31mbad",
  nonce,
  version: "v1",
  atMs: BigInt(atMs),
  firstRevision: 3n,
  lastRevision: 4n,
  provenance: [{ kind: "policy", key: "VirtualService/default/reviews", file: "reviews.yaml", line: 4 }],
});
const status = (init: MessageInitShape<typeof GatewayStatusSchema>): GatewayStatus =>
  create(GatewayStatusSchema, { gatewayId: "g1", ...init });

function history(maxEnded?: number) {
  const clock = { now: 10_000 };
  const told: Refusal[] = [];
  const repeated: string[] = [];
  const refusals = new RefusalHistory({
    now: () => clock.now,
    onRefused(refusal, again) {
      told.push(refusal);
      if (again) repeated.push(refusal.nonce);
    },
    ...(maxEnded === undefined ? {} : { maxEnded }),
  });
  return { clock, told, repeated, refusals };
}
const nodes = (list: readonly Refusal[]) => list.map(({ node, nonce }) => `${node} ${nonce}`);

test("a refusal that is told every second is one event, with all that the gateway said", () => {
  const { told, refusals } = history();
  for (let beat = 0; beat < 3; beat++) refusals.take(status({ nacks: [nack("web", "1")], pending: [pending("web")] }));
  assert.deepEqual(told, [
    {
      node: "web",
      gateway: "g1",
      type: "rds",
      resources: ["outbound"],
      reason: "virtual_hosts[0]: [31mbad",
      nonce: "1",
      version: "v1",
      sinceMs: 1000,
      firstRevision: 3,
      lastRevision: 4,
      objects: [{ kind: "policy", key: "VirtualService/default/reviews", file: "reviews.yaml", line: 4 }],
    },
  ]);
  assert.deepEqual(refusals.standing, told);
  assert.equal(refusals.of("web", "rds")?.nonce, "1");
  assert.deepEqual(refusals.ended, []);
});

test("it ends when the gateway does not tell it any more; a refusal of what came next is another", () => {
  const { clock, told, repeated, refusals } = history();
  refusals.take(status({ nacks: [nack("web", "1")] }));
  refusals.take(status({ nacks: [nack("web", "2", 2000)] }));
  assert.deepEqual(repeated, ["2"]);
  assert.deepEqual([nodes(refusals.standing), nodes(refusals.ended)], [["web 2"], ["web 1"]]);
  clock.now = 12_000;
  refusals.take(status({}));
  assert.deepEqual([nodes(refusals.standing), nodes(refusals.ended)], [[], ["web 2", "web 1"]]);
  assert.equal(refusals.ended[0]?.endedMs, 12_000);
  assert.equal(told.length, 2);
});

test("what a message had no room for stands while the proxy has not taken the type", () => {
  const { refusals } = history();
  refusals.take(status({ nacks: [nack("web", "1"), nack("cart", "1")], pending: [pending("web"), pending("cart")] }));
  refusals.take(status({ nacks: [nack("web", "1")], nacksLeftOut: 1, pending: [pending("web"), pending("cart")] }));
  assert.deepEqual(nodes(refusals.standing).toSorted(), ["cart 1", "web 1"]);
  refusals.take(status({ nacks: [nack("web", "1")], nacksLeftOut: 1, pending: [pending("web")] }));
  assert.deepEqual([nodes(refusals.standing), nodes(refusals.ended)], [["web 1"], ["cart 1"]]);
});

test("a gateway that leaves, or is not heard, takes its proxies' refusals with it; another's stay", () => {
  const { clock, refusals } = history();
  refusals.take(status({ nacks: [nack("web", "1")] }));
  refusals.take(status({ gatewayId: "g2", nacks: [nack("cart", "1")] }));
  refusals.take(status({ gatewayId: "g3", nacks: [nack("pay", "1")] }));
  refusals.take(status({ gatewayId: "g2", leaving: true }));
  assert.deepEqual(nodes(refusals.standing).toSorted(), ["pay 1", "web 1"]);
  clock.now += 3000;
  refusals.take(status({ nacks: [nack("web", "1")] }));
  clock.now += 3000;
  assert.deepEqual(nodes(refusals.standing), ["web 1"]);
});

test("only so many that are over are kept, the newest", () => {
  const { refusals } = history(2);
  for (let at = 1; at <= 4; at++) refusals.take(status({ nacks: [nack("web", String(at), at)] }));
  assert.deepEqual(nodes(refusals.ended), ["web 3", "web 2"]);
});
