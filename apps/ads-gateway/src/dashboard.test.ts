import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const repository = join(import.meta.dirname, "../../..");
const dashboards = globSync("deploy/grafana/*.json", { cwd: repository });

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly query?: unknown }[] };
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
}

/** The names that are on the wire, from the page that is generated from the code. */
function namesOnTheWire(): ReadonlySet<string> {
  const names = new Set<string>();
  const page = readFileSync(join(repository, "docs/reference/metrics.md"), "utf8");
  for (const [, name = "", kind] of page.matchAll(/^\| `(\w+)` \| (\w+) \|/gm)) {
    if (kind === "histogram") for (const suffix of ["_bucket", "_sum", "_count"]) names.add(name + suffix);
    else names.add(kind === "counter" && !name.endsWith("_total") ? `${name}_total` : name);
  }
  return names;
}

const metricName = /\b(?:fairlead|pilot)_\w+/g;

test("every metric of a dashboard exists", () => {
  const names = namesOnTheWire();
  assert.ok(names.has("pilot_proxy_convergence_time_bucket"));
  assert.equal(dashboards.length, 1);
  for (const file of dashboards) {
    const { panels, templating } = JSON.parse(readFileSync(join(repository, file), "utf8")) as Dashboard;
    const queries = [
      ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: title, text: expr }))),
      ...templating.list.map(({ query }) => ({ where: "a variable", text: JSON.stringify(query) })),
    ];
    assert.ok(queries.length > 20);
    for (const { where, text } of queries) {
      const used = text.match(metricName) ?? [];
      if (where !== "a variable") assert.ok(used.length > 0, `${file}: ${where} asks for nothing of ours`);
      for (const name of used) assert.ok(names.has(name), `${file}: ${where} asks for ${name}, which nothing counts`);
    }
  }
});

test("what the gateway counts is on the dashboard, but for what only serves a search", () => {
  const page = readFileSync(join(repository, "docs/reference/metrics.md"), "utf8");
  const shown = dashboards.map((file) => readFileSync(join(repository, file), "utf8")).join();
  const counted = [...page.matchAll(/^\| `(\w+)` .* \| apps\/ads-gateway \|$/gm)].map(([, name = ""]) => name);
  const left = counted.filter((name) => !shown.includes(name));
  assert.deepEqual(left, ["fairlead_xds_commits_total", "fairlead_xds_requests_total"]);
});
