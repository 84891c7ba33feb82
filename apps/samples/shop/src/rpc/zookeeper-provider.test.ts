import assert from "node:assert/strict";
import { test } from "node:test";
import { providerNode } from "./zookeeper-provider.ts";

test("a provider's node is named as Dubbo names it", () => {
  const provider = { interface: "shop.Prices", methods: ["a", "b"], host: "10.0.0.5", port: 20880, application: "p" };
  assert.equal(
    providerNode(provider),
    "/dubbo/shop.Prices/providers/dubbo%3A%2F%2F10.0.0.5%3A20880%2Fshop.Prices%3Fapplication%3Dp%26dubbo%3D2.0.2" +
      "%26interface%3Dshop.Prices%26methods%3Da%2Cb%26side%3Dprovider",
  );
});
