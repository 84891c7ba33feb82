import assert from "node:assert/strict";
import { test } from "node:test";
import { readRules, type RuleDocument } from "@fairlead/dubbo-registry";
import { RulesByInterface } from "./rules-by-interface.ts";

const ruleOf = (document: RuleDocument, source: string) => readRules(document, source).rules;
const item = (key: string, text: string) => ruleOf({ form: "item", key, text }, key);
const url = (name: string, text: string) => ruleOf({ form: "url", interface: name, url: text }, text);

test("each interface has its own rules and those of any, in the order of all; overrides by who wins", () => {
  const rules = [
    ...item("org.x.A::.configurators", "configs: [{ parameters: { weight: 1 } }]"),
    ...item("shop.configurators", "{ scope: application, key: shop, configs: [{ parameters: { weight: 2 } }] }"),
    ...item("org.x.B:1.0.0:.condition-router", "conditions: ['=> host=10.0.0.1']"),
    ...item("shop.tag-router", "tags: []"),
    ...url("org.x.A", "override://0.0.0.0/org.x.A?weight=3"),
    ...url("org.x.B", "route://0.0.0.0/org.x.B?rule=%3D%3E+host%3D10.0.0.1"),
  ];
  assert.equal(rules.length, 6);
  const byInterface = new RulesByInterface(rules);
  const at = (name: string) => byInterface.rulesOf(name).map((rule) => rules.indexOf(rule));
  assert.deepEqual([at("org.x.A"), at("org.x.B"), at("org.x.C")], [[0, 1, 3, 4], [1, 2, 3, 5], [1, 3]]); // prettier-ignore
  const weights = (name: string) => byInterface.overridesOf(name).map(({ parameters }) => parameters.get("weight"));
  assert.deepEqual([weights("org.x.A"), weights("org.x.A"), weights("org.x.C")], [["3", "2", "1"], ["3", "2", "1"], ["2"]]); // prettier-ignore
});
