import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { parseProvider, type Provider } from "../provider.ts";
import { effectiveProvider, overridesOf } from "./effective-provider.ts";
import { readRules } from "./read-rules.ts";
import { planRouting } from "./routing-plan.ts";
import type { RuleDocument } from "./rule-document.ts";
import { rulePolicies } from "./rule-policies.ts";

const name = "org.x.Greeter";

function provider(port: number, more = ""): Provider {
  const parsed = parseProvider(`dubbo://10.0.0.${port}:${20_000 + port}/${name}?application=shop${more}`, name);
  assert(parsed !== undefined);
  return parsed;
}
const item = (key: string, text: string): RuleDocument => ({ form: "item", key, text });
const url = (text: string): RuleDocument => ({ form: "url", interface: name, url: text });

interface Spec {
  readonly hosts: string[];
  readonly http: {
    readonly match?: { uri?: object; headers?: Record<string, object>; sourceLabels?: Record<string, string> }[];
    readonly route: { destination: { host: string; subset?: string }; weight?: number }[];
    readonly timeout?: string;
    readonly retries?: { attempts: number };
  }[];
  readonly subsets?: { name: string; addresses: string[] }[];
  readonly trafficPolicy?: object;
}

/** Everything as far as the mesh is told: for each route what it matches, and the last numbers of the providers' addresses. */
function routed(providers: readonly Provider[], ...documents: readonly RuleDocument[]) {
  const read = documents.map((document, index) => readRules(document, `doc${index}`));
  const rules = read.flatMap((one) => one.rules);
  const overrides = overridesOf(rules);
  const effective = providers.map((one) => effectiveProvider(one, overrides));
  const taking = effective.filter(({ enabled, weight }) => enabled && weight > 0);
  const plan = planRouting(name, taking, rules);
  const specs = new Map(rulePolicies({ registry: "main", interface: name }, plan).map(({ kind, text }) => [kind, (parse(text) as { spec: Spec }).spec])); // prettier-ignore
  const subsets = new Map(
    (specs.get("DestinationRule")?.subsets ?? []).map((subset) => [subset.name, subset.addresses]),
  );
  const last = (address: string) => Number(/\.(\d+):/.exec(address)![1]);
  const routes = (specs.get("VirtualService")?.http ?? []).map(({ match, route, timeout, retries }) => ({
    match: (match ?? []).map((one) => JSON.stringify(one)).join(" or "),
    to: route.map(({ destination: { subset }, weight }) => {
      const addresses = subset === undefined ? "all" : subsets.get(subset)!.map(last).join("+") || "nobody";
      return weight === undefined ? addresses : `${addresses}:${weight}`;
    }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(retries === undefined ? {} : { attempts: retries.attempts }),
  }));
  const problems = [...read.flatMap((one) => one.problems), ...plan.problems.map(({ text }) => text)];
  return { routes, effective, problems, specs };
}

describe("configurators", () => {
  test("as Dubbo admin writes the weight of some providers, and takes one out", () => {
    const text = `
configVersion: v2.7
scope: service
key: ${name}
enabled: true
configs:
  - addresses: [10.0.0.1:20001]
    side: provider
    parameters: {weight: 200}
  - {addresses: [10.0.0.2], side: provider, parameters: {disabled: true}}
  - {addresses: [10.0.0.3], side: provider, enabled: false, type: weight, parameters: {weight: 1}}
`;
    const { effective, routes, problems } = routed([provider(1), provider(2), provider(3)], item(`${name}::.configurators`, text)); // prettier-ignore
    assert.deepEqual(effective.map(({ weight, enabled }) => [weight, enabled]), [[200, true], [100, false], [100, true]]); // prettier-ignore
    assert.deepEqual([routes, problems], [[], []]);
  });

  test("a service's key has its version and group, and means no other", () => {
    const text = `{configVersion: v3.0, scope: service, key: 'blue/${name}:1.0.0', configs: [{side: provider, parameters: {weight: 7}}]}`;
    const { effective } = routed(
      [provider(1, "&version=1.0.0&group=blue"), provider(2, "&version=1.0.0"), provider(3)],
      item(`${name}:1.0.0:blue.configurators`, text),
    );
    assert.deepEqual(effective.map(({ weight }) => weight), [7, 100, 100]); // prettier-ignore
  });

  test("version 3 matches by address, application and parameters", () => {
    const text = `
configVersion: v3.0
scope: application
key: shop
configs:
  - side: provider
    match: {address: {wildcard: '10.0.0.*'}, param: [{key: region, value: {exact: east}}]}
    parameters: {weight: 5}
`;
    const { effective } = routed([provider(1, "&region=east"), provider(2, "&region=west")], item("shop.configurators", text)); // prettier-ignore
    assert.deepEqual(effective.map(({ weight }) => weight), [5, 100]); // prettier-ignore
  });

  test("a service comes after its application, and both after old URLs", () => {
    const of = (scope: string, key: string, weight: number) => item(`${key}.configurators`, `{scope: ${scope}, key: ${key}, configs: [{side: provider, parameters: {weight: ${weight}}}]}`); // prettier-ignore
    const old = url(`override://0.0.0.0/${name}?category=configurators&dynamic=false&enabled=true&weight=1`);
    const application = of("application", "shop", 2);
    const service = of("service", name, 3);
    const weight = (...documents: RuleDocument[]) => routed([provider(1)], ...documents).effective[0]?.weight;
    assert.deepEqual([weight(old), weight(application, old), weight(service, application, old)], [1, 2, 3]);
  });

  test("an old URL with a port is for one provider; a disabled one says nothing", () => {
    const one = url(`override://10.0.0.1:20001/${name}?weight=9`);
    const off = url(`override://10.0.0.2:20002/${name}?weight=9&enabled=false`);
    const { effective } = routed([provider(1), provider(2)], one, off);
    assert.deepEqual(effective.map(({ weight }) => weight), [9, 100]); // prettier-ignore
  });

  test("time-outs and retries are the routes', of a method, and of one caller", () => {
    const text = `
configVersion: v2.7
scope: service
key: ${name}
configs:
  - {side: consumer, addresses: [0.0.0.0], parameters: {timeout: 3000, sayHi.timeout: 500, retries: 0}}
  - {side: consumer, applications: [front], parameters: {timeout: 9000}}
`;
    const { routes, problems } = routed([provider(1)], item(`${name}::.configurators`, text));
    const [hiOfFront, ofFront, hi, rest] = [
      { match: `{"uri":{"exact":"/${name}/sayHi"},"sourceLabels":{"fairlead.io/app":"front"}}`, to: ["all"], timeout: "9000ms", attempts: 0 },
      { match: '{"sourceLabels":{"fairlead.io/app":"front"}}', to: ["all"], timeout: "9000ms", attempts: 0 },
      { match: `{"uri":{"exact":"/${name}/sayHi"}}`, to: ["all"], timeout: "500ms", attempts: 0 },
      { match: "", to: ["all"], timeout: "3000ms", attempts: 0 },
    ]; // prettier-ignore
    assert.deepEqual(new Set(routes.map((route) => JSON.stringify(route))), new Set([hiOfFront, ofFront, hi, rest].map((route) => JSON.stringify(route)))); // prettier-ignore
    assert.equal(routes.at(-1)?.match, "");
    assert.deepEqual(problems, []);
  });

  test("two methods with the same time-out have a route each", () => {
    const text = `{scope: service, key: ${name}, configs: [{side: consumer, parameters: {a.timeout: 5, b.timeout: 5}}]}`;
    const { routes } = routed([provider(1)], item(`${name}::.configurators`, text));
    const uris = routes.map(({ match, timeout }) => [/exact":"([^"]+)/.exec(match)?.[1], timeout]);
    assert.deepEqual(uris, [[`/${name}/a`, "5ms"], [`/${name}/b`, "5ms"], [undefined, undefined]]); // prettier-ignore
  });

  test("what cannot be had is said: mock, a time-out of one provider, a weight for one caller", () => {
    const text = `
scope: service
key: ${name}
configs:
  - {side: consumer, parameters: {mock: 'force:return null'}}
  - {side: provider, addresses: [10.0.0.1], parameters: {timeout: 10}}
  - {side: consumer, applications: [front], parameters: {weight: 1}}
`;
    const { routes, problems } = routed([provider(1), provider(2)], item(`${name}::.configurators`, text));
    assert.deepEqual(routes, []);
    assert.deepEqual(problems, [
      "mock has no effect in the mesh",
      "time-outs and retries of some of a service's providers only cannot be had",
      "weight for some callers only cannot be had; a condition router can tell callers apart",
    ]);
  });

  test("load balancing by its name in Dubbo", () => {
    const text = `{scope: service, key: ${name}, configs: [{side: consumer, parameters: {loadbalance: leastactive}}]}`;
    const { specs } = routed([provider(1)], item(`${name}::.configurators`, text));
    assert.deepEqual(specs.get("DestinationRule")?.trafficPolicy, { loadBalancer: { simple: "LEAST_REQUEST" } });
  });
});

describe("condition routers", () => {
  const router = (conditions: readonly string[], more = "") =>
    item(`${name}::.condition-router`, `{configVersion: v3.0, scope: service, key: ${name}, enabled: true, ${more} conditions: ${JSON.stringify(conditions)}}`); // prettier-ignore

  test("read methods to one provider, the rest to all", () => {
    const { routes } = routed([provider(1), provider(2)], router(["method=find*,get => address=10.0.0.2:20002"]));
    assert.deepEqual(routes, [
      { match: `{"uri":{"prefix":"/${name}/find"}} or {"uri":{"exact":"/${name}/get"}}`, to: ["2"] },
      { match: "", to: ["all"] },
    ]);
  });

  test("attachments, callers, and what is not so", () => {
    const providers = [provider(1, "&region=east"), provider(2, "&region=west"), provider(3)];
    assert.deepEqual(routed(providers, router(["attachments[user]=vip => region=east"])).routes, [
      { match: '{"headers":{"user":{"exact":"vip"}}}', to: ["1"] },
      { match: "", to: ["all"] },
    ]);
    assert.deepEqual(routed(providers, router(["application=front&host=10.9.9.9 => region!=east"])).routes, [
      { match: '{"sourceLabels":{"fairlead.io/app":"front","fairlead.io/address":"10.9.9.9"}}', to: ["2"] },
      { match: "", to: ["all"] },
    ]);
    assert.deepEqual(routed(providers, router(["method!=admin => host != 10.0.0.3"])).routes, [
      { match: `{"uri":{"exact":"/${name}/admin"}}`, to: ["all"] },
      { match: "", to: ["1+2"] },
    ]);
  });

  test("nobody left: with force calls are refused, without it they go to all", () => {
    const gone = "method=a => address=10.0.0.9:1";
    assert.deepEqual(routed([provider(1)], router([gone])).routes, []);
    assert.deepEqual(routed([provider(1)], router([gone], "force: true,")).routes, [
      { match: `{"uri":{"exact":"/${name}/a"}}`, to: ["nobody"] },
      { match: "", to: ["all"] },
    ]);
    assert.deepEqual(routed([provider(1)], router(["application=bad =>"])).routes, [
      { match: '{"sourceLabels":{"fairlead.io/app":"bad"}}', to: ["nobody"] },
      { match: "", to: ["all"] },
    ]);
  });

  test("several rules narrow one after the other", () => {
    const providers = [provider(1, "&region=east&env=gray"), provider(2, "&region=east"), provider(3, "&env=gray")];
    assert.deepEqual(routed(providers, router(["method=a => region=east", "attachments[env]=gray => env=gray"])).routes, [
      { match: `{"uri":{"exact":"/${name}/a"},"headers":{"env":{"exact":"gray"}}}`, to: ["1"] },
      { match: `{"uri":{"exact":"/${name}/a"}}`, to: ["1+2"] },
      { match: '{"headers":{"env":{"exact":"gray"}}}', to: ["1+3"] },
      { match: "", to: ["all"] },
    ]); // prettier-ignore
  });

  test("an application's rule is for calls to it, or else for its own calls", () => {
    const of = (application: string) => item(`${application}.condition-router`, `{scope: application, key: ${application}, conditions: ['=> host=10.0.0.1']}`); // prettier-ignore
    assert.deepEqual(routed([provider(1), provider(2)], of("shop")).routes, [{ match: "", to: ["1"] }]);
    assert.deepEqual(routed([provider(1), provider(2)], of("front")).routes, [
      { match: '{"sourceLabels":{"fairlead.io/app":"front"}}', to: ["1"] },
      { match: "", to: ["all"] },
    ]);
  });

  test("an old URL of a condition", () => {
    const rule = encodeURIComponent("method=a => host=10.0.0.1");
    const { routes } = routed([provider(1), provider(2)], url(`route://0.0.0.0/${name}?category=routers&router=condition&rule=${rule}&force=true`)); // prettier-ignore
    assert.deepEqual(routes[0], { match: `{"uri":{"exact":"/${name}/a"}}`, to: ["1"] });
  });

  const multiple = (conditions: string, more = "") =>
    item(`${name}::.condition-router`, `{configVersion: v3.1, scope: service, key: ${name}, ${more} conditions: ${conditions}}`); // prettier-ignore
  const regions = [provider(1, "&region=east"), provider(2, "&region=west"), provider(3, "&region=west")];

  test("version 3.1 shares calls out by weight, the first that changes something is the only one", () => {
    const conditions = `[{priority: 1, to: [{match: region=nowhere}]},
      {from: {match: method=a}, to: [{match: region=east, weight: 20}, {match: region=west, weight: 60}, {match: region=none}]}]`;
    assert.deepEqual(routed(regions, multiple(conditions)).routes, [
      { match: `{"uri":{"exact":"/${name}/a"}}`, to: ["1:2500", "2+3:7500"] },
      { match: "", to: ["all"] },
    ]);
    const both = `[{from: {match: method=a}, to: [{match: region=east}]}, {priority: 9, to: [{match: region=west}]}]`;
    assert.deepEqual(routed(regions, multiple(both)).routes, [{ match: "", to: ["2+3"] }]);
  });

  test("version 3.1: too few are none, force, and no traffic at all", () => {
    const to = "to: [{match: region=east}]";
    assert.deepEqual(routed(regions, multiple(`[{${to}, ratio: 40}]`)).routes, [{ match: "", to: ["nobody"] }]);
    assert.deepEqual(routed(regions, multiple(`[{${to}, ratio: 30}]`)).routes, [{ match: "", to: ["1"] }]);
    const nowhere = "[{to: [{match: region=x}], force: true}]";
    assert.deepEqual(routed(regions, multiple(nowhere)).routes, [{ match: "", to: ["nobody"] }]);
    assert.deepEqual(routed(regions, multiple("[{from: {match: method=a}, trafficDisable: true}]")).routes[0]?.to, ["nobody"]); // prettier-ignore
  });

  test("what cannot be followed is said, and the other conditions are followed", () => {
    const conditions = ["arguments[0]=a => host=10.0.0.1", "=> host=$host", "a==b => c", "method=a => host=10.0.0.1"];
    const { routes, problems } = routed([provider(1), provider(2)], router(conditions));
    assert.equal(routes.length, 2);
    assert.deepEqual(problems.map((problem) => problem.replace(/^.*\): /, "")), [
      "arguments of calls are not read",
      "$host refers to the caller, which the mesh does not know where it routes",
      "== is no separator",
    ]); // prettier-ignore
  });
});

describe("tag routers", () => {
  const tagged = [provider(1), provider(2, "&dubbo.tag=gray"), provider(3)];
  const gray = '{"headers":{"dubbo.tag":{"exact":"gray"}}}';
  const toTag = (routes: ReturnType<typeof routed>["routes"], match: string) => routes.find((route) => route.match === match)?.to; // prettier-ignore

  test("without a rule providers' own tags count: who asks for none gets those without", () => {
    const { routes } = routed(tagged);
    assert.deepEqual(toTag(routes, gray), ["2"]);
    assert.deepEqual(toTag(routes, '{"sourceLabels":{"dubbo.tag":"gray"}}'), ["2"]);
    assert.deepEqual(routes.at(-1), { match: "", to: ["1+3"] });
    assert.deepEqual(toTag(routes, '{"headers":{"dubbo.tag":{}}}'), ["1+3"], "an unknown tag");
    const forced = routes.find(({ match }) => match.includes("force") && match.includes('"dubbo.tag":{}'));
    assert.deepEqual(forced?.to, ["nobody"]);
  });

  test("a rule gives tags by address, and takes these from calls without", () => {
    const text = "configVersion: v3.0\nforce: false\nenabled: true\nkey: shop\ntags:\n- {name: gray, addresses: ['10.0.0.1:20001', '10.0.0.7:1']}\n- {name: beta, match: [{key: env, value: {exact: beta}}]}\n"; // prettier-ignore
    const { routes } = routed([provider(1), provider(2), provider(3, "&env=beta")], item("shop.tag-router", text));
    assert.deepEqual(toTag(routes, gray), ["1"]);
    assert.deepEqual(toTag(routes, gray.replace("gray", "beta")), ["3"]);
    assert.deepEqual(routes.at(-1)?.to, ["2"]);
  });

  test("a tag of which nobody is left: untagged ones, or nobody with force", () => {
    const text = (force: boolean) => `{force: ${force}, key: shop, tags: [{name: gray, addresses: ['10.0.0.9']}, {name: b, addresses: ['10.0.0.1']}]}`; // prettier-ignore
    const of = (force: boolean) => routed([provider(1), provider(2)], item("shop.tag-router", text(force))).routes;
    assert.deepEqual(toTag(of(true), gray), ["nobody"]);
    assert.deepEqual(toTag(of(false), gray) ?? of(false).at(-1)?.to, ["2"]);
  });

  test("with versions: each call stays with the version that it asks for", () => {
    const { routes } = routed([provider(1, "&version=1.0.0"), provider(2, "&version=1.0.0&dubbo.tag=gray"), provider(3, "&version=2.0.0")]); // prettier-ignore
    const of = (match: object) => toTag(routes, JSON.stringify({ headers: match }));
    const exact = (value: string) => ({ exact: value });
    assert.deepEqual(of({ version: exact("1.0.0"), "dubbo.tag": exact("gray") }), ["2"]);
    assert.deepEqual(of({ version: exact("1.0.0") }), ["1"]);
    assert.deepEqual(of({ version: exact("2.0.0"), "dubbo.tag": exact("gray") }), ["3"]);
    assert.deepEqual(of({ version: exact("2.0.0") }), ["3"]);
  });
});

describe("other documents", () => {
  test("scripts are refused with what to do, broken texts with what is wrong, settings are passed over", () => {
    const problems = (key: string, text: string) => readRules(item(key, text), key).problems.join();
    assert.match(problems("shop.script-router", "script: x"), /not run.*condition router/);
    assert.match(routed([provider(1)], url(`script://0.0.0.0/${name}?rule=x`)).problems.join(), /not run/);
    assert.match(problems("shop.tag-router", "tags: 5"), /^it cannot be read: tags/);
    assert.match(problems("shop.tag-router", "a: ["), /^it cannot be read/);
    assert.match(problems("shop.MESHAPPRULE", ""), /VirtualService/);
    assert.equal(problems("dubbo.properties", "a=b") + problems("shop.migration", "step: X"), "");
  });

  test("no text whatever makes more than a problem", () => {
    const values = ["", "null", "[]", "5", "{conditions: 5}", "{configs: [{}]}", "*x", "[override://]", '["a"]', "{configVersion: v3.1, conditions: [1]}"]; // prettier-ignore
    for (const kind of ["configurators", "condition-router", "tag-router"])
      for (const value of values) readRules(item(`a.${kind}`, value), "x");
  });
});
