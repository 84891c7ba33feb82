import assert from "node:assert/strict";
import { test } from "node:test";
import { readCorpus } from "./corpus-file.ts";
import { attempt } from "./failure.ts";
import { fuzzTargets } from "./targets/index.ts";

for (const [name, load] of Object.entries(fuzzTargets)) {
  test(`${name}: what the fuzzer has found keeps all promises`, async () => {
    const target = await load();
    const inputs = [...target.seeds(), ...readCorpus(name)];
    assert(inputs.length > target.seeds().length, "no corpus: npm run fuzz -- --codec NAME --save");
    for (const input of inputs) {
      const result = attempt(target.run, input);
      if ("reason" in result) assert.fail(`${input.toString("hex")}: ${result.reason}`);
    }
  });
}
