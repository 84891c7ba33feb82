import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { appliedPoliciesSchema } from "../registry/policies.ts";
import { servingInstance } from "../up/served-by.ts";
import { type Check, expectThat } from "./check.ts";
import { callMany, counted } from "./many-calls.ts";

/** From this folder, in the checkout and where compiled. */
export const samplePolicyFile = fileURLToPath(
  new URL("../../../samples/shop/policies/reviews-90-10.yaml", import.meta.url),
);

const calls = 1000;
const share = 0.1;
const sigma = Math.sqrt(calls * share * (1 - share));

export const isWithinThreeSigma = (count: number): boolean => Math.abs(count - calls * share) <= 3 * sigma;

/** A policy sends 90 of 100 calls to v1 and 10 to v2: counted over 1000 calls. */
export const weightedRoute: Check = {
  name: "90/10 weighted route",
  async run({ mesh, caller }) {
    const file = basename(samplePolicyFile);
    const applied = await mesh.registry.call({
      method: "PUT",
      path: `/v1/policies?file=${file}&wait=converged&timeout=15s`,
      body: { type: "application/yaml", text: await readFile(samplePolicyFile, "utf8") },
      answer: appliedPoliciesSchema,
      timeoutMs: 20_000,
    });
    const measure = async () => await callMany(caller, "shop.Reviews", "/reviews", calls, servingInstance);
    let summary = await measure();
    const inV2 = () => summary.served.get("reviews-v2") ?? 0;
    // A fair draw is outside of three sigma once in 370 times: then it is measured once more.
    if (!isWithinThreeSigma(inV2())) summary = await measure();
    const evidence = {
      sent: `PUT /v1/policies ${file} (VirtualService 90/10, DestinationRule); then ${calls} GET shop.Reviews/reviews`,
      received: `revision ${applied.revision}, ${applied.convergence?.converged === true ? "converged" : "not converged"}; ${counted(summary)}`,
    };
    expectThat(applied.convergence?.converged === true, evidence, "the policy to converge");
    expectThat(summary.failures === 0, evidence, "no failed call");
    expectThat(
      isWithinThreeSigma(inV2()),
      evidence,
      `${calls * share} ± ${Math.floor(3 * sigma)} calls to v2 (three sigma)`,
    );
    return evidence;
  },
};
