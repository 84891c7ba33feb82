import { z } from "zod";
import { labels } from "./fields.ts";

/** Of ServiceEntry and Sidecar: nodes. */
export const labelSelector = z.strictObject({
  labels: labels.default({}).describe("Nodes that have all of these labels."),
});
