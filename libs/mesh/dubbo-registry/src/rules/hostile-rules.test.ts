import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseProvider, type Provider } from "../provider.ts";
import { planRouting } from "./routing-plan.ts";
import { readRules } from "./read-rules.ts";
import type { Rule } from "./rule.ts";
import { rulePolicies } from "./rule-policies.ts";

/** Generous: what is meant here takes minutes, or for ever. */
const shortMs = 5_000;
const name = "org.x.Greeter";

function provider(more = ""): Provider {
  const parsed = parseProvider(`dubbo://10.0.0.1:20880/${name}?application=shop${more}`, name);
  assert(parsed !== undefined);
  return parsed;
}
const read = (key: string, text: string) => readRules({ form: "item", key, text }, key);

function quick<Result>(work: () => Result): Result {
  const began = performance.now();
  const result = work();
  assert(performance.now() - began < shortMs, `it took ${Math.round(performance.now() - began)} ms`);
  return result;
}
const tagRuleWith = (regex: string) =>
  read("shop.tag-router", `tags: [{ name: gray, match: [{ key: k, value: { regex: '${regex}' } }] }]`);
const regexTakes = ({ rules }: { readonly rules: readonly Rule[] }, value: string) => {
  const [rule] = rules;
  assert(rule?.kind === "tag");
  return rule.tags[0]?.providers(provider(`&k=${value}`));
};

describe("rules of somebody who means harm", () => {
  test("names that all objects have are no kinds of rules, schemes, load balancing or labels", () => {
    for (const kind of ["constructor", "toString", "valueOf", "hasOwnProperty"]) {
      assert.deepEqual(read(`org.x.Greeter.${kind}`, "a: 1"), { rules: [], problems: [] });
      assert.equal(parseProvider(`${kind}://10.0.0.1:20880/${name}`, name), undefined);
    }
    const balancing = read(`${name}::.configurators`, `configs: [{ parameters: { loadbalance: constructor } }]`);
    const plan = planRouting(name, [provider()], balancing.rules);
    assert.deepEqual(rulePolicies({ registry: "main", interface: name }, plan), []);
    const label = read(
      `${name}::.condition-router`,
      `conditions: ["a b c=x => host=10.0.0.1", "$=x => host=10.0.0.1"]`,
    );
    for (const policy of rulePolicies({ registry: "main", interface: name }, planRouting(name, [provider()], label.rules))) assert.doesNotMatch(policy.text, /native code/); // prettier-ignore
    const constructor = read(
      `${name}::.condition-router`,
      `conditions: ["constructor=x => host=10.0.0.9"]\nforce: true`,
    );
    const [, service] = rulePolicies({ registry: "main", interface: name }, planRouting(name, [provider()], constructor.rules)); // prettier-ignore
    assert.match(service?.text ?? "", /constructor: x/);
  });

  test("a text takes time by its length, whatever is in it", () => {
    const long = 60_000;
    const condition = (text: string) => read(`${name}::.condition-router`, `conditions: [${JSON.stringify(text)}]`);
    quick(() => condition("&".repeat(long)));
    quick(() => condition(`a=b${" ".repeat(long)}`));
    quick(() => condition(`a=b${" &".repeat(long / 2)}`));
    quick(() => read("shop.tag-router", Array.from({ length: 8_000 }, (_, key) => `k${key}: 1`).join("\n")));
    quick(() => read("shop.tag-router", "[".repeat(long)));
    assert.match(read("shop.tag-router", " ".repeat(70_000)).problems[0] ?? "", /longer than 65536/);
  });

  test("a condition of many values is refused before it is multiplied", () => {
    const values = Array.from({ length: 5_000 }, (_, value) => `v${value}`).join();
    const { rules } = read(`${name}::.condition-router`, `conditions: ["attachments[a]=${values}&attachments[b]=${values} => host=10.0.0.1"]`); // prettier-ignore
    const { problems } = quick(() => planRouting(name, [provider()], rules));
    assert.match(problems[0]?.text ?? "", /more than 64 alternatives/);
  });

  test("a pattern that could go back without end is not followed, one that cannot is", () => {
    const slow = ["a*a*a*b", "(a|a)(a|a)b", "(a*)*b", "a?a?a?aaa", "a{0,9}a{0,9}a{0,9}b", "(a+)+", String.raw`(a)\1`];
    for (const regex of slow) assert.match(tagRuleWith(regex).problems[0] ?? "", /not followed/, regex);
    const rule = tagRuleWith("(gray|blue)-[a-z]*");
    assert.deepEqual(rule.problems, []);
    assert.equal(regexTakes(rule, "gray-one"), true);
    assert.equal(regexTakes(rule, "green-one"), false);
    quick(() => regexTakes(tagRuleWith("a*a*b"), "a".repeat(256)));
  });

  test("what a database cannot take is in no policy", () => {
    const tags = String.raw`tags: [{ name: "a\0b\uD800c", match: [{ key: k, value: { exact: x } }] }]`;
    const { rules } = readRules({ form: "item", key: "shop.tag-router", text: tags }, "a\u0000b.tag-router");
    const plan = planRouting(name, [provider("&k=x"), provider("&dubbo.tag=z")], rules);
    const policies = rulePolicies({ registry: "main", interface: name }, plan);
    assert(policies.length > 0);
    for (const { file, text } of policies)
      for (const part of [file, text]) assert(part.isWellFormed() && !part.includes("\0"), part);
  });
});
