import { FairleadError } from "@fairlead/errors";
import { z } from "zod";
import { type Check, expectThat } from "./check.ts";

/** `retires` instead of `retries`, in line 10. */
const text = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [shop.Reviews]
  http:
    - route:
        - destination: { host: shop.Reviews }
      retires: { attempts: 2 }
`;

/** A field that does not exist is refused by name and line, and nothing is stored. */
export const badPolicy: Check = {
  name: "bad policy refused",
  async run({ mesh }) {
    const sent = "PUT /v1/policies bad.yaml, a VirtualService whose line 10 says `retires` for `retries`";
    try {
      await mesh.registry.call({
        method: "PUT",
        path: "/v1/policies?file=bad.yaml",
        body: { type: "application/yaml", text },
        answer: z.unknown(),
      });
    } catch (caught) {
      const { code, message } = FairleadError.from(caught);
      const evidence = { sent, received: `${code}: ${message}` };
      expectThat(
        message.includes("retires") && message.includes("bad.yaml:10"),
        evidence,
        "the field `retires` and bad.yaml:10 to be named",
      );
      return evidence;
    }
    expectThat(false, { sent, received: "it was taken" }, "it to be refused");
    return { sent, received: "" };
  },
};
