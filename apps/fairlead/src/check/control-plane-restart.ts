import { ConstantLoad, type LoadSummary } from "../up/constant-load.ts";
import { eventually } from "../up/readiness.ts";
import { reviewsVersion } from "../up/served-by.ts";
import { type Check, expectThat } from "./check.ts";
import { EchoApp } from "./echo-app.ts";
import { counted } from "./many-calls.ts";
import { askSidecar } from "./sidecar-api.ts";

const callsPerSecond = 40;

/** The whole control plane is killed, and started; stopped, and started: calls go on, and a registration afterwards works. */
export const controlPlaneRestart: Check = {
  name: "control plane restart",
  async run({ mesh, caller }) {
    const load = new ConstantLoad({
      call: async () => await caller.get("shop.Storefront", "/"),
      callsPerSecond,
      label: reviewsVersion,
    });
    const app = new EchoApp("after the restart");
    await app.start();
    load.start();
    try {
      for (const signal of ["SIGKILL", "SIGTERM"] as const) {
        await mesh.controlPlane.stop(signal);
        const soFar = load.settled;
        await eventually(
          "40 calls without a control plane",
          async () => load.settled >= soFar + 40 || undefined,
          15_000,
        );
        await mesh.startControlPlane();
      }
      const answer = await askSidecar(mesh.app("visitor"), "pub", {
        interface: "check.Afterwards",
        protocol: "http",
        port: app.port,
      });
      const call = await caller.get("check.Afterwards", "/");
      const summary: LoadSummary = await load.stop();
      const evidence = {
        sent: `SIGKILL, start, SIGTERM, start of the control plane at ${callsPerSecond} calls/s to shop.Storefront; then POST /pub of check.Afterwards`,
        received: `${summary.calls} calls: ${counted(summary)}; ${answer.text}; call: ${call.status} ${JSON.stringify(call.body.slice(0, 60))}`,
      };
      expectThat(summary.failures === 0, evidence, "not one failed call");
      expectThat(answer.errNo === 0 && answer.converged, evidence, "the registration to converge");
      expectThat(call.status === 200, evidence, "the new service to answer");
      return evidence;
    } finally {
      await load.stop();
    }
  },
};
