import { type ErrorFacts, FairleadError } from "@fairlead/errors";
import { busErrors } from "./errors.ts";

/** An error with one of the bus's own codes, for the port and its adapters. */
export function busError(
  code: keyof typeof busErrors,
  message: string,
  options: { readonly facts?: ErrorFacts; readonly cause?: unknown } = {},
): FairleadError {
  return new FairleadError(code, message, options);
}
