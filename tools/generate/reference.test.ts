import assert from "node:assert/strict";
import { test } from "node:test";
import { oldPages } from "./reference.ts";

test("docs/reference is what the code says; `npm run generate` writes it", async () => {
  assert.deepEqual(await oldPages(), []);
});
