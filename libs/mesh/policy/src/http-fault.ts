import { z } from "zod";
import { notImplemented, percentage, positiveDurationMs, wholePercent } from "./fields.ts";

/** gRPC's codes by the names that policies use. */
export const grpcStatusCodes = [
  "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
  "UNAUTHENTICATED",
] as const; // prettier-ignore

const share = {
  percentage: percentage.optional().describe("Of the calls, in percent: `value`. Default: all."),
  percent: wholePercent.optional().describe("The old form of `percentage`."),
};

const delay = z.strictObject({
  fixedDelay: positiveDurationMs.describe("How long."),
  exponentialDelay: notImplemented("use fixedDelay"),
  ...share,
});

const abort = z
  .strictObject({
    httpStatus: z.number().int().min(200).max(599).optional().describe("The status of the answer."),
    grpcStatus: z
      .enum(grpcStatusCodes)
      .transform((name) => grpcStatusCodes.indexOf(name))
      .optional()
      .describe("The gRPC status by name, such as `UNAVAILABLE`."),
    http2Error: notImplemented("use httpStatus or grpcStatus"),
    ...share,
  })
  .refine(
    (value) => (value.httpStatus === undefined) !== (value.grpcStatus === undefined),
    "expected exactly one of httpStatus, grpcStatus",
  );

/** Errors on purpose. */
export const fault = z
  .strictObject({
    delay: delay.optional().describe("Holds the call back."),
    abort: abort.optional().describe("Answers the call instead of sending it on."),
  })
  .refine((value) => value.delay !== undefined || value.abort !== undefined, "expected delay or abort");
export type Fault = z.output<typeof fault>;
