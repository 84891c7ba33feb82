import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonOf } from "./testing/json-of.ts";
import { meshOf, policy } from "./testing/mesh-under-test.ts";

const nodes = [
  { id: "caller", app: "front", address: "10.0.0.9" },
  { id: "p", address: "10.0.0.1", inboundPort: 15006 },
  { id: "q", address: "10.0.0.2" },
  { id: "v6", address: "fd00::1" },
];
const instances = ["p", "q", "v6"].map((nodeId) => ({ nodeId, interface: "shop.A", port: 8080 }));
const portsOf = (json: unknown) => [...JSON.stringify(json).matchAll(/"address":"([^"]+)"/g)].map(([, address]) => address); // prettier-ignore

test("a subset is those instances that are at its addresses, by the application's own port", () => {
  const subsets = `[{name: both, addresses: ["10.0.0.1:8080", "[fd00::1]:8080"]}, {name: host, addresses: [10.0.0.2]},
    {name: other, addresses: ["10.0.0.1:15006"]}, {name: none, addresses: []}]`;
  const mesh = meshOf({ nodes, instances, policies: policy("DestinationRule", "d", `{host: shop.A, subsets: ${subsets}}`) }); // prettier-ignore
  assert.deepEqual(mesh.rejected, []);
  const of = (subset: string) => portsOf(jsonOf(mesh, `eds/outbound|http|${subset}|shop.A`));
  assert.deepEqual(
    ["both", "host", "other", "none", ""].map(of),
    [["10.0.0.1", "fd00::1"], ["10.0.0.2"], [], [], ["10.0.0.1", "10.0.0.2", "fd00::1"]],
  ); // prettier-ignore
});

test("callers are told apart by their application and address, also where they have no labels", () => {
  const route = (label: string, value: string) =>
    policy("VirtualService", "v", `{hosts: [shop.A], http: [{match: [{sourceLabels: {${label}: ${value}}}], directResponse: {status: 403}}, {route: [{destination: {host: shop.A}}]}]}`); // prettier-ignore
  const isRefused = (policies: string, caller: string) => {
    const mesh = meshOf({ nodes: nodes.map((node) => ({ ...node, outboundPort: 15001 })), instances, policies });
    const scope = mesh.nodes.get(caller)!.scopeId;
    return JSON.stringify(jsonOf(mesh, `rds/${scope}/outbound`)).includes("403");
  };
  for (const policies of [route("fairlead.io/app", "front"), route("fairlead.io/address", "10.0.0.9")])
    assert.deepEqual(["caller", "q"].map((id) => isRefused(policies, id)), [true, false]); // prettier-ignore
});
