import { z } from "zod";
import { count, notImplemented, positiveDurationMs, wholePercent } from "./fields.ts";

export const outlierDetection = z.strictObject({
  consecutiveErrors: notImplemented("use consecutive5xxErrors or consecutiveGatewayErrors"),
  splitExternalLocalOriginErrors: z
    .boolean()
    .optional()
    .describe("Failed connections are counted apart from error answers."),
  consecutiveLocalOriginFailures: count
    .optional()
    .describe("Failed connections in a row; with the field above. Default: 5."),
  consecutiveGatewayErrors: count
    .optional()
    .describe("502, 503, 504 and failed connections in a row. 0 = off (default)."),
  consecutive5xxErrors: count.optional().describe("5xx and failed connections in a row. 0 = off. Default: 5."),
  interval: positiveDurationMs.optional().describe("Between looks at who may come back. Default: 10s."),
  baseEjectionTime: positiveDurationMs.optional().describe("Out for that long, times how often it was. Default: 30s."),
  maxEjectionPercent: wholePercent.optional().describe("Of the instances, out at a time. Default: 10."),
  minHealthPercent: wholePercent
    .optional()
    .describe("Fewer healthy instances than that: all of them get calls. Default: 0 = never."),
});
export type OutlierDetection = z.output<typeof outlierDetection>;
