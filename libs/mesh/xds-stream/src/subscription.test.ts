import assert from "node:assert/strict";
import { test } from "node:test";
import { SotwSubscription, type Subscription } from "./subscription.ts";

function seen(subscription: Subscription) {
  return { wildcard: subscription.wildcard, names: [...subscription.names()].sort() };
}

test("rules 35, 36, 37, 40: {} → {*, A} → {A} → {} is wildcard, both, A only, nothing", () => {
  const subscription = new SotwSubscription({ legacyWildcard: true });
  assert.equal(subscription.apply({ names: [] }).wildcardBegan, true);
  assert.deepEqual(seen(subscription), { wildcard: true, names: [] });
  assert.deepEqual(subscription.apply({ names: ["*", "A"] }), {
    added: ["A"],
    removed: [],
    wildcardBegan: false,
    wildcardEnded: false,
  });
  assert.deepEqual(seen(subscription), { wildcard: true, names: ["A"] });
  assert.equal(subscription.apply({ names: ["A"] }).wildcardEnded, true);
  assert.deepEqual(seen(subscription), { wildcard: false, names: ["A"] });
  assert.deepEqual(subscription.apply({ names: [] }).removed, ["A"]);
  assert.deepEqual(seen(subscription), { wildcard: false, names: [] });
  assert.equal(subscription.empty, true);
  assert.equal(new SotwSubscription({ legacyWildcard: true }).empty, true, "a new stream starts fresh");
});

test("rules 35, 39: an empty list is no wildcard for a type without a legacy wildcard", () => {
  const subscription = new SotwSubscription({ legacyWildcard: false });
  subscription.apply({ names: [] });
  assert.equal(subscription.empty, true);
});

test("rule 54: the empty name is a name that does not exist", () => {
  const subscription = new SotwSubscription({ legacyWildcard: true });
  subscription.apply({ names: [""] });
  assert.deepEqual(seen(subscription), { wildcard: false, names: [""] });
});

test("a wildcard does not cover what is on demand", () => {
  const subscription = new SotwSubscription({ legacyWildcard: true });
  subscription.apply({ names: ["*", "api"] });
  assert.equal(subscription.covers("other-api", true), false);
  assert.equal(subscription.covers("api", true), true);
  assert.equal(subscription.covers("any", false), true);
});

test("a long list that many streams share means the same to each, whatever they wanted before", () => {
  const names = Array.from({ length: 50 }, (_, index) => `c${index}`);
  const newStream = () => new SotwSubscription({ legacyWildcard: true });
  const [first, second, third] = [newStream(), newStream(), newStream()];
  assert.deepEqual(first.apply({ names }).added, names);
  assert.deepEqual(first.apply({ names }).added, []);
  assert.deepEqual(seen(first), { wildcard: false, names: names.toSorted() });
  second.apply({ names: [] });
  assert.equal(second.apply({ names }).wildcardEnded, true);
  assert.equal(second.apply({ names: ["*", ...names] }).wildcardBegan, true);
  assert.equal(second.apply({ names }).wildcardEnded, true);
  third.apply({ names: ["c1", "other"] });
  assert.deepEqual(third.apply({ names }).removed, ["other"]);
  assert.deepEqual(seen(third), seen(first));
  assert.deepEqual(first.apply({ names: names.slice(1) }).removed, ["c0"]);
});
