import { removedPolicySchema } from "../registry/policies.ts";
import { ConstantLoad } from "../up/constant-load.ts";
import { eventually } from "../up/readiness.ts";
import { servingInstance } from "../up/served-by.ts";
import { type Check, expectThat } from "./check.ts";
import { counted } from "./many-calls.ts";
import { askSidecar } from "./sidecar-api.ts";

const callsPerSecond = 200;

/**
 * An instance withdraws with `wait=converged` while calls come at a constant rate. When the answer is there, its
 * application and its sidecar are killed at once: no call may fail.
 */
export const withdrawUnderLoad: Check = {
  name: "unpub under constant load",
  async run({ mesh, caller }) {
    for (const policy of ["VirtualService/default/reviews", "DestinationRule/default/reviews"]) {
      await mesh.registry.call({
        method: "DELETE",
        path: `/v1/policies/${policy}?wait=converged&timeout=15s`,
        answer: removedPolicySchema,
        timeoutMs: 20_000,
      });
    }
    const load = new ConstantLoad({
      call: async () => await caller.get("shop.Reviews", "/reviews"),
      callsPerSecond,
      label: servingInstance,
    });
    const leaving = mesh.app("reviews-v2");
    load.start();
    try {
      await eventually("100 calls before", async () => load.settled >= 100 || undefined, 10_000);
      const before = load.take();
      const answer = await askSidecar(leaving, "unpub", {
        interface: "shop.Reviews",
        protocol: "http",
        port: leaving.applicationPort,
      });
      const during = load.take();
      await Promise.all(leaving.processes.map(async (process) => await process.stop("SIGKILL")));
      // Its host is gone for good: without this the mesh would wait for it until its lease ends.
      await mesh.registry.call({
        method: "DELETE",
        path: `/v1/nodes/${encodeURIComponent(leaving.nodeId)}`,
        answer: removedPolicySchema,
        timeoutMs: 5000,
      });
      const soFar = load.settled;
      await eventually("200 calls after", async () => load.settled >= soFar + 200 || undefined, 10_000);
      const after = await load.stop();
      const evidence = {
        sent: `POST reviews-v2's sidecar /unpub?wait=converged at ${callsPerSecond} calls/s; at its answer kill -9 of application and sidecar`,
        received: `${answer.text}; calls before: ${counted(before)}; during: ${counted(during)}; after: ${counted(after)}`,
      };
      expectThat(answer.errNo === 0 && answer.converged, evidence, "err_no 0 and converged");
      expectThat((before.served.get("reviews-v2") ?? 0) > 0, evidence, "reviews-v2 to serve before");
      expectThat(before.failures + during.failures + after.failures === 0, evidence, "not one failed call");
      return evidence;
    } finally {
      await load.stop();
    }
  },
};
