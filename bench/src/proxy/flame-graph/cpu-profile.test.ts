import assert from "node:assert/strict";
import { test } from "node:test";
import { type CpuProfile, frameTree } from "./cpu-profile.ts";
import { renderFlameGraph } from "./render.ts";

const frame = (functionName: string, url = "") => ({ functionName, url, lineNumber: 0 });
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame("(root)"), children: [2, 5] },
    { id: 2, callFrame: frame("onBytes", "file:///x/libs/proxy/a.ts"), children: [3, 4] },
    { id: 3, callFrame: frame("writeBuffer") },
    { id: 4, callFrame: frame("<html>", "file:///x/libs/proxy/b.ts") },
    { id: 5, callFrame: frame("(idle)") },
  ],
  samples: [3, 3, 4, 2, 5],
  timeDeltas: [30, 30, 30, 10, 1000],
};

test("stacks are a tree of time, and idle time is left out", () => {
  const root = frameTree(profile);
  assert.equal(root.total, 100);
  const bytes = root.children.get("onBytes proxy/a.ts")!;
  assert.deepEqual([bytes.total, bytes.self, bytes.origin], [100, 10, "ours"]);
  assert.deepEqual([...bytes.children.values()].map(({ total, origin }) => [total, origin]), [[60, "system"], [30, "ours"]]); // prettier-ignore
});

test("the picture has a box for each frame that is wide enough, and names are text", () => {
  const svg = renderFlameGraph(frameTree(profile), "a title");
  assert.equal(svg.match(/<rect /g)?.length, 4);
  assert(svg.includes("&lt;html&gt;") && !svg.includes("<html>"));
  assert(svg.includes("writeBuffer: 60.0 %"));
});
