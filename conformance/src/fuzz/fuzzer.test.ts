import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockCoverage } from "./block-coverage.ts";
import { minimise } from "./failure.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { Fuzzer } from "./fuzzer.ts";
import { Random } from "./random.ts";

/** Fails for what begins with three letters: by chance one input in seventeen millions does. */
async function maze(): Promise<{ readonly target: FuzzTarget; readonly coverage: BlockCoverage }> {
  const coverage = new BlockCoverage();
  const { walk } = await import("./test-maze.ts");
  const target: FuzzTarget = {
    name: "maze",
    sources: ["conformance/src/fuzz/test-maze.ts"],
    seeds: () => [Buffer.from("some seed, far from it")],
    dictionary: [],
    run: (bytes) => {
      walk(bytes);
      return "";
    },
  };
  coverage.watch(target.sources);
  return { target, coverage };
}

test("coverage leads to what chance would not find, and the failing input is made small", async () => {
  const { target, coverage } = await maze();
  using _ = coverage;
  const fuzzer = new Fuzzer(target, coverage, { maxBytes: 64, random: new Random(1), begins: () => undefined });
  fuzzer.start(target.seeds());
  for (let i = 0; i < 2000 && fuzzer.step(); i++);
  assert(fuzzer.failure !== undefined, `${fuzzer.executions} runs found nothing`);
  assert.equal(minimise(target.run, fuzzer.failure).input.toString(), "way");
});
