import { z } from "zod";
import { labels } from "./fields.ts";

/** Of DestinationRule, which Istio wrote later than the other. */
export const workloadSelector = z.strictObject({
  matchLabels: labels.default({}).describe("Nodes that have all of these labels."),
});

/** Of ServiceEntry and Sidecar. */
export const labelSelector = z.strictObject({
  labels: labels.default({}).describe("Nodes that have all of these labels."),
});
