import { declareErrors } from "./declare-errors.ts";

declareErrors("errors", {
  FL_INTERNAL: {
    httpStatus: 500,
    meaning: "Something failed that this program did not foresee.",
    action:
      "Look for the same code in the service's log; its line carries the cause and the trace id. Please report it.",
  },
});

/** Facts of the case, as fields: they go to logs and API answers, so they never hold secrets. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>;

/**
 * The one error class of the product.
 *
 * The code is stable and documented in docs/reference/errors.md; the message says what happened,
 * where, and what to do next; `facts` carries the same as fields.
 */
export class FairleadError extends Error {
  override readonly name = "FairleadError";
  readonly code: string;
  readonly facts: ErrorFacts;

  constructor(code: `FL_${string}`, message: string, options: { facts?: ErrorFacts; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.facts = options.facts ?? {};
  }

  /** The one door for what a `catch` caught. */
  static from(caught: unknown): FairleadError {
    if (caught instanceof FairleadError) return caught;
    const message = caught instanceof Error ? caught.message : String(caught);
    return new FairleadError("FL_INTERNAL", message, { cause: caught });
  }
}
