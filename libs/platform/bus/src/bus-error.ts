import { type ErrorFacts, FairleadError } from "@fairlead/errors";
import { busErrors } from "./errors.ts";

/** Another write came before one that was to be the next after `after`. */
export function conflict(key: string, after: number): FairleadError {
  return busError(
    "FL_BUS_CONFLICT",
    `${key} was not written: it was to be the next write after ${after}, and somebody else has written`,
    {
      facts: { key, after },
    },
  );
}

/** An error with one of the bus's own codes, for the port and its adapters. */
export function busError(
  code: keyof typeof busErrors,
  message: string,
  options: { readonly facts?: ErrorFacts; readonly cause?: unknown } = {},
): FairleadError {
  return new FairleadError(code, message, options);
}
