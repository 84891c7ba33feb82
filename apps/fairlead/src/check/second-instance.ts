import { servingInstance } from "../up/served-by.ts";
import { type Check, expectThat } from "./check.ts";
import { callMany, counted } from "./many-calls.ts";

const calls = 200;

/** A second instance of shop.Reviews starts, publishes itself and takes its share of the calls. */
export const secondInstance: Check = {
  name: "second instance takes load",
  async run({ mesh, caller }) {
    const before = await callMany(caller, "shop.Reviews", "/reviews", 50, servingInstance);
    await mesh.add({ name: "reviews-v2", app: "reviews", sample: { service: "reviews", version: "v2" } });
    const after = await callMany(caller, "shop.Reviews", "/reviews", calls, servingInstance);
    const evidence = {
      sent: `reviews-v2 published itself; then ${calls} GET shop.Reviews/reviews through :${caller.port}`,
      received: `before: ${counted(before)}; after: ${counted(after)}`,
    };
    const shares = ["reviews-v1", "reviews-v2"].map((name) => after.served.get(name) ?? 0);
    expectThat(before.failures + after.failures === 0, evidence, "no failed call");
    expectThat(before.served.get("reviews-v2") === undefined, evidence, "one instance before");
    expectThat(
      shares.every((share) => share >= calls * 0.35),
      evidence,
      "both instances to take about half",
    );
    return evidence;
  },
};
