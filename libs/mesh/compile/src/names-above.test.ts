import assert from "node:assert/strict";
import { test } from "node:test";
import { CatalogueReplica, type Change, policyKey, serviceKey } from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";
import { compile, IncrementalCompiler } from "./index.ts";

function service(name: string): Change {
  const value = { interface: name, protocol: "http" } as const;
  return { kind: "service", key: serviceKey(value), value, revision: 0 };
}

function policy(kind: string, spec: string): Change {
  const text = `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: wide}\nspec: ${spec}\n`;
  const value = parsePolicies(text, { file: "p.yaml" }).policies[0]!.object;
  return { kind: "policy", key: policyKey(value), value, revision: 0 };
}

const rule = policy("DestinationRule", "{host: '*.eu.shop', trafficPolicy: {loadBalancer: {simple: RANDOM}}}");
const routes = policy("VirtualService", "{hosts: ['*.shop'], http: [{timeout: 3s, route: [{destination: {host: a.eu.shop}}]}]}"); // prettier-ignore

test("policies of a wildcard count for the names below it from when they come until they go", () => {
  const catalogue = new CatalogueReplica();
  const compiler = new IncrementalCompiler();
  const resourcesAfter = (...changes: readonly Change[]) => {
    for (const change of changes) catalogue.apply(change);
    compiler.apply(changes, 0);
    const versions = ({ resources }: Pick<typeof compiler.mesh, "resources">) =>
      new Map([...resources].map(([key, { version }]) => [key, version]));
    assert.deepEqual(versions(compiler.mesh), versions(compile(catalogue)));
    return versions(compiler.mesh);
  };
  const key = (name: string) => `cds/outbound|http||${name}`;
  const before = resourcesAfter(service("a.eu.shop"), service("b.us.shop"));
  const ruled = resourcesAfter(rule);
  assert.notEqual(ruled.get(key("a.eu.shop")), before.get(key("a.eu.shop")));
  assert.equal(ruled.get(key("b.us.shop")), before.get(key("b.us.shop")));
  const routed = resourcesAfter(routes);
  assert.notEqual(routed.get("rds/everything/outbound"), ruled.get("rds/everything/outbound"));
  for (const { kind, key: gone } of [rule, routes]) resourcesAfter({ kind, key: gone, value: undefined, revision: 0 });
  assert.deepEqual(resourcesAfter(), before);
});

test("a service costs the same however many wildcards are above its name, unless policies name wildcards that end as it does", () => {
  const runsWith = (name: string, ...policies: readonly Change[]) => {
    const compiler = new IncrementalCompiler();
    compiler.apply(policies, 0);
    const { runs } = compiler.apply([service(name)], 0);
    return [runs.get("VirtualServices naming"), runs.get("DestinationRules naming")];
  };
  assert.deepEqual(runsWith("a.b.c.d.e.shop"), runsWith("shop"));
  assert.deepEqual(runsWith("a.b.c.d.e.club", rule, routes), runsWith("club", rule, routes));
  assert.notDeepEqual(runsWith("a.b.c.d.e.shop", rule, routes), runsWith("shop", rule, routes));
});
