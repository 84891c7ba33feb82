import type { FairleadError } from "@fairlead/errors";
import type { ErrorAnswer } from "@fairlead/http-api";
import { NotConvergedError } from "../convergence-waits.ts";

/** FL_NOT_CONVERGED comes with the revision that is stored and the whole report. */
export function withReport(answer: ErrorAnswer, error: FairleadError): object {
  if (!(error instanceof NotConvergedError)) return answer;
  return { ...answer, revision: error.report.revision, convergence: error.report };
}

/** The errors of /pub /unpub /sub /unsub: MOSN's two fields besides ours. */
export function withErrNo(answer: ErrorAnswer, error: FairleadError): object {
  return { err_no: 1, err_msg: answer.message, ...withReport(answer, error) };
}
