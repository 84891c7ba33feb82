import { type ErrorFacts, FairleadError } from "@fairlead/errors";

/**
 * An error that another Fairlead API answered with, and that this one passes on as it came: this process need not
 * know the code.
 */
export class RelayedError extends FairleadError {
  /** The HTTP status that it came with. */
  readonly status: number;
  readonly action: string;
  /** Further fields of the answer, such as `convergence`; a route's `formatError` may pass them on. */
  readonly further: object;

  constructor(answer: {
    status: number;
    code: `FL_${string}`;
    message: string;
    action: string;
    facts: ErrorFacts;
    further?: object;
  }) {
    super(answer.code, answer.message, { facts: answer.facts });
    this.status = answer.status;
    this.action = answer.action;
    this.further = answer.further ?? {};
  }
}
