import { flag, readCommandLine, someOf, text } from "@fairlead/lifecycle";
import { proxyCases } from "./proxy-case.ts";

export interface ProxyBenchOptions {
  /** Ids of cases, and `half-load` and `memory`. */
  readonly cases: ReadonlySet<string>;
  /** Names of contenders in lower case. */
  readonly only: ReadonlySet<string>;
  /** One short round; writes no page. */
  readonly quick: boolean;
  /** A file for all samples. */
  readonly json: string | undefined;
  /** All cases and contenders, at length: what the page is written from. */
  readonly whole: boolean;
}

const cases = [...proxyCases.map(({ id }) => id), "half-load", "memory"];
const contenders = ["fairlead", "haproxy", "nginx", "envoy", "node:http"];
const syntax = {
  usage: `npm run bench:proxy -- [options]
The page docs/benchmarks.md is written by a whole run: no --case, --only or --quick.`,
  options: {
    case: someOf(cases, "what is measured"),
    only: someOf(contenders, "of those that are installed"),
    quick: flag("one short round of each, and no page"),
    json: text("FILE", "all samples as JSON"),
  },
};

export function readOptions(): ProxyBenchOptions {
  const { case: asked, only, quick, json } = readCommandLine(syntax).options;
  const whole = !quick && asked.size === cases.length && only.size === contenders.length;
  return { cases: asked, only, quick, json, whole };
}
