import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { FairleadError } from "@fairlead/errors";
import * as fc from "fast-check";
import { parsePolicies, typedPolicy } from "./index.ts";

const head = (kind: string) => `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata:\n  name: x\nspec:\n`;

/** A VirtualService whose route has these lines more. */
const withRoute = (...lines: string[]) =>
  `${head("VirtualService")}  hosts: [shop.A]\n  http:\n    - route:\n        - destination: {host: shop.A}\n${lines.map((line) => `      ${line}\n`).join("")}`;

function problemsOf(text: string): readonly string[] {
  try {
    parsePolicies(text, { file: "f.yaml" });
  } catch (error) {
    assert.ok(error instanceof FairleadError);
    assert.equal(error.code, "FL_POLICY_INVALID");
    return error.facts["problems"] as readonly string[];
  }
  return [];
}

test("the sample's policies: objects with their lines, typed specs", () => {
  const file = join(import.meta.dirname, "../../../../apps/samples/shop/policies/reviews-90-10.yaml");
  const { policies } = parsePolicies(readFileSync(file, "utf8"), { file: "reviews.yaml" });
  assert.deepEqual(
    policies.map(({ object }) => [object.kind, object.namespace, object.name, object.file, object.line]),
    [
      ["DestinationRule", "default", "reviews", "reviews.yaml", 2],
      ["VirtualService", "default", "reviews", "reviews.yaml", 16],
    ],
  );
  const typed = policies[1]!.typed;
  assert.ok(typed.kind === "VirtualService");
  const route = typed.spec.http[0]!;
  assert.deepEqual(
    route.route!.map(({ destination, weight }) => [destination.subset, weight]),
    [
      ["v1", 90],
      ["v2", 10],
    ],
  );
  assert.equal(route.timeout, 2000);
  assert.deepEqual(route.retries!.retryOn, { conditions: ["connect-failure", "refused-stream"], statusCodes: [503] });
});

test("a small text that would become very many routes is refused", () => {
  const list = (count: number, one: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => one(index)).join(", ");
  const routesOf = (hosts: number, matches: number, body: number) =>
    `${head("VirtualService")}  hosts: [${list(hosts, (index) => `h${index}.example`)}]\n` +
    `  http:\n    - match: [${list(matches, (index) => `{uri: {prefix: /${index}}}`)}]\n` +
    `      directResponse: {status: 200, body: {string: ${"x".repeat(body)}}}\n`;
  const tooMany = /^f\.yaml:7:3 spec\.http: each match is a route of each host: .*more than 32 MiB/;
  assert.deepEqual(problemsOf(routesOf(50, 200, 10)), []);
  assert.match(problemsOf(routesOf(200, 200, 10))[0]!, tooMany);
  assert.deepEqual(problemsOf(routesOf(1, 30, 1_000_000)), []);
  assert.match(problemsOf(routesOf(1, 40, 1_000_000))[0]!, tooMany);
});

test("the stored text gives the same spec again", () => {
  for (const { object, typed } of parsePolicies(
    `# c\n---\n${withRoute("timeout: 1m30s")}---\n${head("DestinationRule")}  host: shop.A\n`,
    { file: "" },
  ).policies) {
    assert.deepEqual(typedPolicy({ ...object }), typed);
  }
});

test("whatever stands around an object, its stored text can be read again and says the same", () => {
  const json = JSON.stringify({
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: "j" },
    spec: { host: "shop.A" },
  });
  const indented = `${head("DestinationRule")}  host: shop.A\n`.replaceAll(/^/gm, "   ").trimEnd();
  for (const text of [
    `--- ${json}`,
    `%YAML 1.2\n--- ${json}\n...\n`,
    indented,
    `# a\n${indented}\n# b\n`,
    `---\n# x\n${json}\n---\n`,
  ]) {
    const [policy] = parsePolicies(text, { file: "f" }).policies;
    assert.deepEqual(typedPolicy({ ...policy!.object }), policy!.typed, text);
  }
});

test("JSON is taken too", () => {
  const json = JSON.stringify({
    apiVersion: "networking.istio.io/v1beta1",
    kind: "DestinationRule",
    metadata: { name: "j", namespace: "team" },
    spec: { host: "shop.A", subsets: [{ name: "v1", labels: { version: "v1" } }] },
  });
  assert.equal(parsePolicies(json, { file: "j.json" }).policies[0]!.object.namespace, "team");
});

describe("what is refused, with its place", () => {
  const cases: readonly (readonly [name: string, text: string, expected: RegExp])[] = [
    [
      "not implemented",
      withRoute("fault: {delay: {fixedDelay: 1s, exponentialDelay: 1s}}"),
      /^f\.yaml:10:\d+ spec\.http\[0\]\.fault\.delay\.exponentialDelay is not implemented: use fixedDelay$/,
    ],
    [
      "no such field",
      withRoute("matchs: []"),
      /^f\.yaml:10:7 spec\.http\[0\]\.matchs is not a field \(did you mean match\?\)$/,
    ],
    ["a wrong type", withRoute("timeout: 5"), /^f\.yaml:10:16 spec\.http\[0\]\.timeout: .*expected string/],
    ["a wrong duration", withRoute("timeout: soon"), /timeout: expected a duration/],
    [
      "an unknown retry condition",
      withRoute("retries: {attempts: 1, retryOn: sometimes}"),
      /retryOn: unknown condition sometimes/,
    ],
    [
      "no RE2",
      withRoute("match:", "  - uri: {regex: '(?=a)'}"),
      /^f\.yaml:11:\d+ spec\.http\[0\]\.match\[0\]\.uri: not a regular expression in RE2/,
    ],
    [
      "RE2's bytes",
      withRoute("match: [{uri: {regex: 'a\\C'}}]"),
      /uri: not a regular expression.*\\C is not supported/,
    ],
    [
      "a character outside of headers",
      withRoute("match: [{uri: {regex: '\\x{1F600}'}}]"),
      /\\x\{1F600\} is not supported/,
    ],
    [
      "two string matches",
      withRoute("match: [{headers: {a: {exact: x, prefix: y}}}]"),
      /headers\.a: expected exactly one of/,
    ],
    [
      "a command that proxies do not know",
      withRoute("headers:", "  request: {set: {x-a: '%REQ(x-b)% %NOPE%'}}"),
      /^f\.yaml:11:\d+ spec\.http\[0\]\.headers\.request\.set\.x-a: %NOPE% is no command that proxies know/,
    ],
    [
      "a command without its argument",
      withRoute("headers: {response: {add: {x-a: '%REQ%'}}}"),
      /response\.add\.x-a: %REQ% is no command/,
    ],
    ["a percent sign alone", withRoute("headers: {request: {add: {x-a: 100%}}}"), /x-a: % is no command/],
    ["a command in the Host", withRoute("headers: {request: {set: {Host: '%REQ(x)%'}}}"), /set\.Host: the Host is/],
    [
      "the length of the message",
      withRoute("headers: {response: {remove: [Content-Length]}}"),
      /remove\[0\]: a header of the connection/,
    ],
    [
      "a second action",
      withRoute("redirect: {uri: /x}"),
      /expected exactly one of route, redirect, directResponse, delegate; found route and redirect/,
    ],
    [
      "a weight that is missing",
      `${head("VirtualService")}  hosts: [shop.A]\n  http:\n    - route:\n        - destination: {host: shop.A}\n        - destination: {host: shop.B}\n          weight: 1\n`,
      /^f\.yaml:9:\d+ spec\.http\[0\]\.route\[0\]: needs a weight/,
    ],
    [
      "every call of the mesh",
      `${head("VirtualService")}  hosts: ["*"]\n  http: [{directResponse: {status: 200}}]\n`,
      /hosts\[0\]: \* is for gateways only/,
    ],
    [
      "another kind",
      head("EnvoyFilter").replace("spec:\n", "spec: {}\n"),
      /^f\.yaml:2:7 kind: the kind is not implemented; known are VirtualService, DestinationRule, ServiceEntry, Gateway, Sidecar$/,
    ],
    [
      "another version",
      withRoute().replace("networking.istio.io/v1", "networking.istio.io/v9"),
      /^f\.yaml:1:13 apiVersion: expected one of/,
    ],
    [
      "a subset twice",
      `${head("DestinationRule")}  host: a.B\n  subsets: [{name: v}, {name: v}]\n`,
      /subsets\[1\]\.name: the subset v is there twice/,
    ],
    [
      "an object twice",
      `${withRoute()}---\n${withRoute()}`,
      /^f\.yaml:11:1 VirtualService\/default\/x is there twice; the first is at line 1$/,
    ],
    ["an alias", "a: &x 1\nb: *x\n", /aliases/],
    ["a key twice", "a: 1\na: 2\n", /Map keys must be unique/],
    ["no YAML", "a: [1\n", /^f\.yaml:/],
    ["nothing", "# only a comment\n", /there is no policy in the text/],
    ["too long", "#".repeat(4 * 1024 * 1024 + 1), /longer than/],
    ["too many objects", "---\na: 1\n".repeat(1001), /more than 1000 objects/],
  ];
  for (const [name, text, expected] of cases) {
    test(name, () => assert.match(problemsOf(text)[0] ?? "(nothing was refused)", expected));
  }
});

test("all problems of a file are given, in its order", () => {
  const problems = problemsOf(`${withRoute("timeout: x")}---\n${head("DestinationRule")}  host: a.B\n  subset: []\n`);
  assert.equal(problems.length, 2);
  assert.match(problems[0]!, /timeout/);
  assert.match(problems[1]!, /spec\.subset is not a field/);
});

test("an alias bomb and deep nesting end in an error", () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${["b", "c", "d", "e", "f", "g"].map((name, index) => `${name}: &${name} [${`*${"abcdef"[index]!},`.repeat(9)}]`).join("\n")}\n`;
  assert.ok(problemsOf(bomb).length > 0);
  assert.ok(problemsOf("[".repeat(1_000_000)).length > 0);
});

test("no text does anything but parse or give FL_POLICY_INVALID", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.string().map((tail) => withRoute(tail)),
      ),
      (text) => {
        try {
          parsePolicies(text, { file: "f" });
        } catch (error) {
          assert.ok(error instanceof FairleadError && error.code === "FL_POLICY_INVALID", String(error));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("a map of very many keys is refused in time", () => {
  const many = (indent: string) => Array.from({ length: 20_000 }, (_, i) => `${indent}k${i}: "1"\n`).join("");
  const labels = `  host: x\n  subsets:\n    - name: v\n      labels:\n${many("        ")}`;
  for (const [text, at] of [
    [`${head("VirtualService")}${many("  ")}`, "6:3"],
    [`${head("DestinationRule")}${labels}`, "10:9"],
  ] as const) {
    const started = performance.now();
    assert.deepEqual(problemsOf(text), [`f.yaml:${at} a map has too many keys`]);
    const tookMs = performance.now() - started;
    assert(tookMs < 2000, `it took ${tookMs} ms`);
  }
  // The next text has its own count.
  assert.deepEqual(problemsOf(withRoute()), []);
});

test("patterns can be checked any number of times, also behind one that is too large", () => {
  const withRegex = (regex: string) =>
    `${head("VirtualService")}  hosts: [shop.A]\n  http:\n    - match: [{uri: {regex: '${regex}'}}]\n      route: [{destination: {host: shop.A}}]\n`;
  for (let i = 0; i < 3; i++) assert.match(problemsOf(withRegex("(?:[a-z\\p{L}]{50}){15}"))[0] ?? "", /memory/);
  for (let i = 0; i < 1000; i++) assert.deepEqual(problemsOf(withRegex("/x(?:[a-z]{200}){2}")), [], `check ${i}`);
});
