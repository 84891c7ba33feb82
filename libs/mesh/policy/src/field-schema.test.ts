import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FairleadError } from "@fairlead/errors";
import { policyKinds } from "@fairlead/model";
import { fieldsBelow, parsePolicies, specFields } from "./index.ts";

/** Of a string match, which says itself what it is. */
const selfExplaining = /\.(exact|prefix|regex)$/;

test("every field of every kind says what it does, or why it is refused", () => {
  for (const kind of policyKinds) {
    const silent = [...fieldsBelow(specFields(kind), () => true)].filter(
      ({ path, description }) => description === "" && !selfExplaining.test(path),
    );
    assert.deepEqual(
      silent.map(({ path }) => `${kind} ${path}`),
      [],
    );
  }
});

describe("a field that is refused is named, with its line and the reason", () => {
  for (const kind of policyKinds) {
    for (const { path, description } of fieldsBelow(specFields(kind), () => true)) {
      if (!description.startsWith("Refused: ")) continue;
      const reason = description.slice("Refused: ".length, -1);
      test(`${kind} ${path}`, () => {
        // In the way to it: a list of one, a map with one key.
        let yaml = "{}";
        for (const name of path.split(".").toReversed()) {
          const key = name.replace("[]", "");
          yaml =
            name.endsWith("[]") && name !== path ? `{${key}: [${yaml}]}` : `{${key === "<name>" ? "k" : key}: ${yaml}}`;
        }
        const text = `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: x}\nspec:\n  ${yaml}\n`;
        assert.throws(
          () => parsePolicies(text, { file: "f.yaml" }),
          (error) => {
            assert.ok(error instanceof FairleadError);
            const problems = error.facts["problems"] as readonly string[];
            const found = problems.find((problem) => problem.endsWith(`is not implemented: ${reason}`));
            assert.ok(found, problems.join("\n"));
            assert.match(found, /^f\.yaml:5:\d+ spec\./);
            return true;
          },
        );
      });
    }
  }
});
