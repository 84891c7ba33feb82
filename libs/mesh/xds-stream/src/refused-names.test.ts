import assert from "node:assert/strict";
import { test } from "node:test";
import { refusedNames } from "./refused-names.ts";

const names = ["outbound|http||shop.Orders", "outbound|http|v1|shop.Orders", "outbound", "shop.Orders"];

test("names are found in what clients write", () => {
  const cases: [string, string[]][] = [
    ["Error adding/updating cluster(s) outbound|http|v1|shop.Orders: no such policy", [names[1]!]],
    ["Error adding/updating listener(s) outbound: no filter, shop.Orders: no route", ["outbound", "shop.Orders"]],
    ["[Resource 'shop.Orders' is invalid.]", ["shop.Orders"]],
    [`INVALID_ARGUMENT: validation of "${names[0]}" failed`, [names[0]!]],
  ];
  for (const [reason, expected] of cases) assert.deepEqual(refusedNames(reason, names), expected, reason);
});

test("a reason that names nothing is of all", () => {
  assert.deepEqual(refusedNames("", names), names);
  assert.deepEqual(refusedNames("Only unique values for domains are permitted.", names), names);
  assert.deepEqual(refusedNames("outbound|http||shop.Ord is no name", names), names);
});
