import { parseArgs } from "node:util";
import { proxyCases } from "./proxy-case.ts";

export interface ProxyBenchOptions {
  /** Ids of cases, and `half-load` and `memory`. */
  readonly cases: ReadonlySet<string>;
  /** Names of contenders in lower case; undefined = all. */
  readonly only: ReadonlySet<string> | undefined;
  /** One short round; writes no page. */
  readonly quick: boolean;
  /** A file for all samples. */
  readonly json: string | undefined;
}

export const benchUsage = `npm run bench:proxy -- [options]
  --case <ids>   ${[...proxyCases.map(({ id }) => id), "half-load", "memory"].join(", ")}; separated by commas. Default: all
  --only <names> fairlead, haproxy, nginx, envoy, node:http; separated by commas. Default: all that are there
  --quick        one short round of each, and no page
  --json <file>  all samples as JSON
The page docs/benchmarks.md is written by a whole run: no --case, --only or --quick.
`;

function listOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().split(",").filter(Boolean));
}

/** @throws TypeError for what it does not know */
export function readOptions(args: readonly string[]): ProxyBenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      case: { type: "string" },
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
    },
  });
  const known = new Set([...proxyCases.map(({ id }) => id), "half-load", "memory"]);
  const cases = values.case === undefined ? known : listOf(values.case);
  for (const id of cases) if (!known.has(id)) throw new TypeError(`no case ${id}; there is ${[...known].join(", ")}`);
  return {
    cases,
    only: values.only === undefined ? undefined : listOf(values.only),
    quick: values.quick,
    json: values.json,
  };
}
