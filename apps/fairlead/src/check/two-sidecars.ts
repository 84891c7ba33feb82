import type { MeshApp } from "../up/mesh-app.ts";
import { storefrontAnswer } from "../up/served-by.ts";
import { type Check, expectThat } from "./check.ts";

/** Requests that a sidecar has taken so far, from its admin page. */
async function requestsTaken(app: MeshApp): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${app.ports.admin}/stats`, { signal: AbortSignal.timeout(5000) });
  let taken = 0;
  for (const line of (await response.text()).split("\n")) {
    const [, count] = /downstream_rq_total: (\d+)$/.exec(line) ?? [];
    taken += Number(count ?? 0);
  }
  return taken;
}

/** A call goes through the caller's sidecar and the callee's, and what the callee calls does the same. */
export const twoSidecars: Check = {
  name: "call through two sidecars",
  async run({ mesh, caller }) {
    const apps = [mesh.app("visitor"), mesh.app("storefront")];
    const before = await Promise.all(apps.map(requestsTaken));
    const outcome = await caller.get("shop.Storefront", "/");
    const after = await Promise.all(apps.map(requestsTaken));
    const [visitor, storefront] = after.map((count, index) => count - before[index]!);
    const answer = storefrontAnswer(outcome);
    const parts =
      answer === undefined
        ? outcome.body.slice(0, 200)
        : `served by ${[answer, answer.catalog, answer.reviews, answer.orders, answer.price, answer.stock].map((part) => part.servedBy.instance).join(", ")}`;
    const evidence = {
      sent: `GET / Host: shop.Storefront through :${caller.port}`,
      received: `${outcome.status}, ${parts}; requests taken by sidecars: visitor +${visitor}, storefront +${storefront}`,
    };
    expectThat(outcome.status === 200 && answer !== undefined, evidence, "200 with the parts of the page");
    // The storefront's takes the visitor's call, and the five that the storefront makes.
    expectThat(
      visitor === 1 && storefront === 6,
      evidence,
      "1 request in the visitor's sidecar and 6 in the storefront's",
    );
    return evidence;
  },
};
