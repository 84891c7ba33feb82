import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { HeaderMap } from "./header-map.ts";

const name = fc.constantFrom("a", "b", "c");
const operation = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), name, value: fc.string() }),
  fc.record({ kind: fc.constant("set" as const), name, value: fc.string() }),
  fc.record({ kind: fc.constant("remove" as const), name, value: fc.constant("") }),
);

test("behaves as a list of pairs", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
      const map = new HeaderMap();
      let model: [string, string][] = [];
      for (const { kind, name: key, value } of operations) {
        map[kind](key, value);
        const first = model.find(([other]) => other === key);
        if (kind === "add" || (kind === "set" && first === undefined)) model.push([key, value]);
        else if (kind === "remove") model = model.filter(([other]) => other !== key);
        else if (first !== undefined) {
          first[1] = value;
          model = model.filter((pair) => pair === first || pair[0] !== key);
        }
        assert.deepEqual(map.fields, model.flat());
        assert.equal(map.get(key), model.find(([other]) => other === key)?.[1]);
        assert.equal(
          map.getJoined(key) ?? "",
          model
            .filter(([other]) => other === key)
            .map(([, text]) => text)
            .join(","),
        );
      }
    }),
  );
});
