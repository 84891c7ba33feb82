import { z } from "zod";
import { listAll } from "../registry/list-all.ts";
import { type Check, expectThat } from "./check.ts";
import { EchoApp } from "./echo-app.ts";
import { askSidecar } from "./sidecar-api.ts";

const service = "check.Greeter";
const instanceSchema = z.object({ interface: z.string(), state: z.string() });

/** An application publishes itself at its sidecar, and is in the catalogue, ready. */
export const register: Check = {
  name: "register",
  async run({ mesh, caller }) {
    const app = new EchoApp("hello");
    await app.start();
    const visitor = mesh.app("visitor");
    const answer = await askSidecar(visitor, "pub", { interface: service, protocol: "http", port: app.port });
    const instances = await listAll(mesh.registry, "instances", instanceSchema);
    const state = instances.find((instance) => instance.interface === service)?.state ?? "not listed";
    const call = await caller.get(service, "/");
    const evidence = {
      sent: `POST 127.0.0.1:${visitor.ports.api}/pub?wait=converged {service: ${service}, port ${app.port}}`,
      received: `${answer.text}; /v1/instances: ${state}; call: ${call.status} ${JSON.stringify(call.body.slice(0, 60))}`,
    };
    expectThat(answer.errNo === 0 && answer.converged, evidence, "err_no 0 and converged");
    expectThat(state === "ready", evidence, "the instance ready in /v1/instances");
    expectThat(call.status === 200 && call.body === "hello", evidence, "the call to be answered by the application");
    return evidence;
  },
};
