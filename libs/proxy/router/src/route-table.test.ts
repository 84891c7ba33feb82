import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeaderMatch, RouteMatch } from "./route-match.ts";
import { MatchTooLong } from "./regex/bounded-match.ts";
import type { RouteSpec, RouteTableSpec } from "./route-spec.ts";
import { RouteTable } from "./route-table.ts";
import { all, head, route } from "./testing/route-specs.ts";

test("the exact host wins over the longest suffix, that over the longest prefix, that over any", () => {
  const domains = ["a.b.c", "*.b.c", "*.c", "a.b.*", "a.*", "*"];
  const table = new RouteTable({
    name: "t",
    virtualHosts: domains.map((domain) => ({ name: domain, domains: [domain], routes: [route(domain, all)] })),
  });
  const cases: readonly (readonly [string, string])[] = [
    ["a.b.c", "a.b.c"],
    ["A.B.C", "a.b.c"],
    ["x.b.c", "*.b.c"],
    ["x.y.c", "*.c"],
    [".b.c", "*.c"],
    ["a.b.x", "a.b.*"],
    ["a.x", "a.*"],
    ["a.", "*"],
    ["a.b.c:80", "a.b.*"],
    ["z", "*"],
  ];
  for (const [host, expected] of cases) assert.equal(table.find(head(host, "/"))?.name, expected, host);
});

test("the port is ignored only where the table says so, and not inside an IPv6 address", () => {
  const spec: RouteTableSpec = {
    name: "t",
    virtualHosts: [{ name: "v", domains: ["a", "[::1]", "[::2]:80"], routes: [route("r", all)] }],
  };
  assert.equal(new RouteTable(spec).find(head("a:80", "/")), undefined);
  const ignoring = new RouteTable({ ...spec, ignorePort: true });
  for (const host of ["a", "a:80", "[::1]", "[::1]:80"]) assert.equal(ignoring.find(head(host, "/"))?.name, "r", host);
  assert.equal(ignoring.find(head("a:b", "/")), undefined);
});

const paths: readonly (readonly [RouteMatch, yes: readonly string[], no: readonly string[]])[] = [
  [{ path: { kind: "prefix", value: "/a" } }, ["/a", "/ab", "/a/b", "/a?x"], ["/", "/A", "/b/a"]],
  [{ path: { kind: "path", value: "/a" } }, ["/a", "/a?x=/b"], ["/ab", "/a/", "/A"]],
  [{ path: { kind: "separatedPrefix", value: "/a" } }, ["/a", "/a/", "/a/b", "/a?x"], ["/ab", "/"]],
  [{ path: { kind: "path", value: "/a" }, caseSensitive: false }, ["/A", "/a"], ["/ab"]],
  [{ path: { kind: "prefix", value: "/Ab" }, caseSensitive: false }, ["/aBc"], ["/a"]],
  [{ path: { kind: "regex", value: "/a+|/b" } }, ["/aa", "/b", "/a?x"], ["/ab", "/aab", "x/b"]],
  [{ path: { kind: "regex", value: "/A" }, caseSensitive: false }, ["/a"], ["/b"]],
];

test("paths match as their kind says, on the whole path without its query", () => {
  for (const [match, yes, no] of paths) {
    const table = new RouteTable({
      name: "t",
      virtualHosts: [{ name: "v", domains: ["*"], routes: [route("r", match)] }],
    });
    for (const path of yes) assert.equal(table.find(head("a", path))?.name, "r", `${match.path.value} takes ${path}`);
    for (const path of no) assert.equal(table.find(head("a", path)), undefined, `${match.path.value} leaves ${path}`);
  }
});

const headers: readonly (readonly [HeaderMatch, headers: readonly string[], matches: boolean])[] = [
  [{ name: "x", match: { kind: "exact", value: "1" } }, ["x", "1"], true],
  [{ name: "x", match: { kind: "exact", value: "1,2" } }, ["x", "1", "x", "2"], true],
  [{ name: "x", match: { kind: "exact", value: "a", ignoreCase: true } }, ["x", "A"], true],
  [{ name: "x", match: { kind: "exact", value: "1" } }, [], false],
  [{ name: "x", match: { kind: "exact", value: "1" }, invert: true }, ["x", "2"], true],
  [{ name: "x", match: { kind: "exact", value: "1" }, invert: true }, [], false],
  [{ name: "x", match: { kind: "exact", value: "1" }, invert: true, missingAsEmpty: true }, [], true],
  [{ name: "x", match: { kind: "prefix", value: "ab" } }, ["x", "abc"], true],
  [{ name: "x", match: { kind: "suffix", value: "bc" } }, ["x", "abc"], true],
  [{ name: "x", match: { kind: "contains", value: "b" } }, ["x", "abc"], true],
  [{ name: "x", match: { kind: "regex", value: "a.c" } }, ["x", "abc"], true],
  [{ name: "x", match: { kind: "regex", value: "a.c" } }, ["x", "abcd"], false],
  [{ name: "x", match: { kind: "present", present: true } }, ["x", ""], true],
  [{ name: "x", match: { kind: "present", present: false } }, [], true],
  [{ name: "x", match: { kind: "present", present: true }, invert: true }, ["x", "1"], false],
  [{ name: "x", match: { kind: "range", start: -5, end: 5 } }, ["x", "-5"], true],
  [{ name: "x", match: { kind: "range", start: -5, end: 5 } }, ["x", "5"], false],
  [{ name: "x", match: { kind: "range", start: -5, end: 5 } }, ["x", "1a"], false],
  [{ name: ":method", match: { kind: "exact", value: "GET" } }, [], true],
  [{ name: ":authority", match: { kind: "suffix", value: "st" } }, [], true],
  [{ name: ":path", match: { kind: "exact", value: "/p?q=1&e=&n" } }, [], true],
];

test("headers match as their kind says", () => {
  for (const [match, present, expected] of headers) {
    const spec = route("r", { ...all, headers: [match] });
    const table = new RouteTable({ name: "t", virtualHosts: [{ name: "v", domains: ["*"], routes: [spec] }] });
    assert.equal(
      table.find(head("host", "/p?q=1&e=&n", present)) !== undefined,
      expected,
      JSON.stringify([match, present]),
    );
  }
});

test("query parameters match as they are written; all conditions must hold; the first route wins", () => {
  const query = (name: string, value: string): RouteMatch => ({
    ...all,
    queryParameters: [
      { name, match: { kind: "exact", value } },
      { name: "n", match: { kind: "present", present: true } },
    ],
  });
  const table = new RouteTable({
    name: "t",
    virtualHosts: [
      {
        name: "v",
        domains: ["*"],
        routes: [route("one", query("q", "1")), route("two", query("e", "")), route("rest", all)],
      },
    ],
  });
  assert.equal(table.find(head("a", "/?q=1&q=2&n"))?.name, "one");
  assert.equal(table.find(head("a", "/?e&n=x"))?.name, "two");
  assert.equal(table.find(head("a", "/?q=1"))?.name, "rest");
  assert.equal(table.find(head("a", "/?q=2&n"))?.name, "rest");
});

test("a table that contradicts itself is refused, with the field", () => {
  const table =
    (...domains: string[]): (() => RouteTable) =>
    () =>
      new RouteTable({ name: "t", virtualHosts: [{ name: "v", domains, routes: [] }] });
  assert.throws(table("a", "A"), /virtual_hosts\[0\]\.domains: the domain A is in the table twice/);
  assert.throws(table("a*b"), /a \* elsewhere/);
  assert.throws(table("*a*"), /a \* elsewhere/);
  for (const value of ["(?=a)", "(a)\\1", "a)(b", "(", "a++"]) {
    assert.throws(
      () =>
        new RouteTable({
          name: "t",
          virtualHosts: [{ name: "v", domains: ["*"], routes: [route("r", { path: { kind: "regex", value } })] }],
        }),
      { code: "FL_ROUTE_INVALID" },
      value,
    );
  }
});

test("a pattern that stops a backtracking engine does not stop this one", () => {
  const table = new RouteTable({
    name: "t",
    virtualHosts: [{ name: "v", domains: ["*"], routes: [route("r", { path: { kind: "regex", value: "/(a*)*b" } })] }],
  });
  const start = performance.now();
  assert.equal(table.find(head("a", `/${"a".repeat(20_000)}c`)), undefined);
  assert(performance.now() - start < 2000);
});

test("hundreds of patterns are no way to take the proxy's time with one path", () => {
  const patterns = Array.from({ length: 500 }, (_pattern, i) => `/(a|b|ab)*(a|b|ab)*${i}`);
  const table = new RouteTable({
    name: "t",
    virtualHosts: [
      {
        name: "h",
        domains: ["*"],
        routes: patterns.map((value) => route(value, { path: { kind: "regex", value } })),
      },
    ],
  });
  assert.throws(() => table.find(head("h", `/${"ab".repeat(1000)}`)), MatchTooLong);
  assert.equal(table.find(head("h", "/abab499"))?.name, patterns[499]);
});

test("routes that do not mind the case of letters tell paths apart that follow each other", () => {
  const insensitive = (value: string): RouteSpec =>
    route(value, { path: { kind: "prefix", value }, caseSensitive: false });
  const table = new RouteTable({
    name: "t",
    virtualHosts: [{ name: "h", domains: ["*"], routes: [insensitive("/Cart/"), insensitive("/stock/")] }],
  });
  for (const [path, name] of [
    ["/CART/1", "/Cart/"],
    ["/STOCK/1", "/stock/"],
    ["/cart/1", "/Cart/"],
  ] as const)
    assert.equal(table.find(head("h", path))?.name, name);
});

test("a long path is brought into one case once, however many routes there are", (t) => {
  const folded = t.mock.method(String.prototype, "toLowerCase");
  const routes = Array.from({ length: 50 }, (_route, i) =>
    route(`${i}`, { path: { kind: "prefix", value: `/Service${i}/` }, caseSensitive: false }),
  );
  const table = new RouteTable({ name: "t", virtualHosts: [{ name: "h", domains: ["*"], routes }] });
  folded.mock.resetCalls();
  const path = `/${"Ab".repeat(30_000)}`;
  assert.equal(table.find(head("h", path)), undefined);
  assert.equal(folded.mock.calls.filter(({ this: text }) => String(text).length > 1000).length, 1);
});
