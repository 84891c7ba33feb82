import assert from "node:assert/strict";
import { test } from "node:test";
import { type Instance, instanceKey } from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";
import { compareText } from "./compare-text.ts";
import { IncrementalCompiler } from "./index.ts";
import { measureChangeCost } from "./testing/change-cost.ts";
import { LargeMesh } from "./testing/large-mesh.ts";

test("an endpoint change makes the load assignments of the clusters that it is of, and nothing else", () => {
  const mesh = new LargeMesh(50);
  const rule = `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: dr}\nspec: {host: shop.Service7, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}\n`;
  for (const { object } of parsePolicies(rule, { file: "p" }).policies)
    mesh.catalogue.policies.set("DestinationRule/default/dr", object);
  const compiler = new IncrementalCompiler();
  compiler.reset(mesh.catalogue);

  const [instance] = [...mesh.catalogue.instances.values()].filter((one) => one.interface === "shop.Service7");
  const changed: Instance = { ...instance!, weight: 7, labels: { version: "v1" } };
  const round = compiler.apply([{ kind: "instance", key: instanceKey(changed), value: changed, revision: 2 }], 2);
  assert.deepEqual(round.resources.changed.map(({ key, revision }) => `${key} at ${revision}`).toSorted(compareText), [
    "eds/outbound|http|v1|shop.Service7 at 2",
    "eds/outbound|http||shop.Service7 at 2",
  ]);
  assert.equal(round.runs.get("endpoints"), 2, "the service's and the subset's, not the other subset's");
});

test("an endpoint change costs the same in a mesh of 100 and of 3,000 services", () => {
  const [small, large] = [measureChangeCost(100), measureChangeCost(3000)];
  assert.ok(
    large.endpointChangeUs < 2 * small.endpointChangeUs,
    `${small.endpointChangeUs} µs of 100, ${large.endpointChangeUs} µs of 3,000`,
  );
});
