import { z } from "zod";
import { labels } from "./fields.ts";

/** Of ServiceEntry and Sidecar: nodes. */
export const labelSelector = z.strictObject({
  labels: labels.default({}).describe("Nodes that have all of these labels."),
});

/** Of a DestinationRule: Istio has another word for the same. */
export const matchLabelsSelector = z.strictObject({
  matchLabels: labels.default({}).describe("Nodes that have all of these labels."),
});
