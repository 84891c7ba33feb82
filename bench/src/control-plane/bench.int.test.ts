import assert from "node:assert/strict";
import { test } from "node:test";
import { bench } from "./bench.ts";
import { readOptions } from "./options.ts";
import { Progress } from "./progress.ts";
import { report } from "./report.ts";

test("a small run measures each part, and ends with the same state at every proxy", async () => {
  const options = readOptions(["--quick", "--compile", "20"]);
  const results = await bench(options, [], new Progress({ silent: true }));
  const [fairlead, fullPush] = [results.streams[0], results.fullPush[0]];
  assert.equal(fairlead?.coldStart.count, 50);
  assert.equal(fairlead?.single.changes, 3);
  assert.equal(fairlead?.single.pushes, 3 * 50);
  assert.equal(fairlead?.steady?.changes, 10);
  assert.equal(fairlead?.steady?.finalStateEqual, true);
  assert.ok((fairlead?.reconnects?.allAckedMs ?? 0) > 0);
  // A push of what changed is one assignment; a full push is the mesh.
  assert.ok(fairlead.single.sentBytes * 10 < (fullPush?.single.sentBytes ?? 0));
  assert.ok((results.misbehaving?.nacks ?? 0) > 0);
  assert.equal(results.compile[0]?.writes, 1);
  assert.match(report(results), /final state equal at all \| yes \|/);
});
