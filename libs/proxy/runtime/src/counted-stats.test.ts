import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const libs = join(import.meta.dirname, "../../..");
const sources = globSync(["proxy/*/src/**/*.ts", "codec/http2/src/**/*.ts"], { cwd: libs })
  .filter((path) => !path.endsWith(".test.ts") && !path.includes("/testing/"))
  .map((path) => readFileSync(join(libs, path), "utf8"));

/** Of each class of statistics: its name, and what it declares. */
function* declared(): Iterable<readonly [group: string, stat: string]> {
  for (const source of sources) {
    for (const [, group, body] of source.matchAll(/^export class (\w+Stats) \{\n(.*?)^\}/gms)) {
      for (const [, stat] of body!.matchAll(/^ {2}(?:readonly )?"?([\w.]+)"? = (?:0|new Histogram\(\));/gm))
        yield [group!, stat!];
    }
  }
}

/** Names that are put together where they are counted, by what they begin and end with. */
const composed =
  /^ejections_(?:detected|enforced)_|^envoy\.overload_actions\..*active$|\.resource_monitors\..*\.pressure$/;

test("each statistic that is declared is counted somewhere", () => {
  const all = [...declared()];
  assert.ok(all.length > 150, `${all.length} statistics`);
  // A declaration is not a place where it is counted, and a list of what threads find alike is none.
  const elsewhere = sources.map((source) =>
    source.replaceAll(/^ {2}"[\w.]+" = 0;$/gm, "").replaceAll(/sameInAll: readonly string\[\] = \[.*?\]/gs, ""),
  );
  const counting = /\.([a-z]\w*)(?:\+\+|--| [-+]?= |\.record\()|["`]([\w.]+)["`]/g;
  const counted = new Set(
    elsewhere.flatMap((source) => [...source.matchAll(counting)].map(([, property, text]) => property ?? text)),
  );
  const never = all.filter(([, stat]) => !counted.has(stat) && !composed.test(stat));
  assert.deepEqual(never, []);
});
