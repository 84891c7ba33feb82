import assert from "node:assert/strict";
import { test } from "node:test";
import { encoded } from "./compiled.ts";
import { objectsAtFault } from "./validate/require-valid.ts";

test("a resource that cannot be encoded names itself and the policies that it is made of", () => {
  const policy = { kind: "policy", key: "VirtualService/default/vs", file: "p.yaml", line: 3 } as const;
  const unhashable = null as unknown as Uint8Array;
  const encode = () =>
    encoded({ key: "rds/everything/outbound", typeUrl: "t", name: "outbound" }, unhashable, [
      { kind: "service", key: "shop.A/http" },
      policy,
    ]);
  assert.throws(encode, (caught: Error) => {
    assert.match(caught.message, /^rds\/everything\/outbound cannot be encoded: /);
    assert.deepEqual(objectsAtFault(caught), [policy]);
    return true;
  });
});
