import assert from "node:assert/strict";
import { test } from "node:test";
import { masked } from "./field-mask.ts";

test("a mask leaves the fields that it names, in lists too, and the whole of a field wins over a part of it", () => {
  const value = { name: "a", config: { name: "b", list: [{ x: 1, y: 2 }, { x: 3 }] }, state: "active" };
  assert.deepEqual(masked(value, ["name", "config.list.x"]), { name: "a", config: { list: [{ x: 1 }, { x: 3 }] } });
  assert.deepEqual(masked(value, ["config.name", "config"]), { config: value.config });
  assert.deepEqual(masked(value, ["config", "config.name"]), { config: value.config });
  assert.deepEqual(masked(value, ["none"]), {});
});
