import { FairleadError, meaningOf, type ErrorFacts } from "@fairlead/errors";
import { trace } from "@opentelemetry/api";
import "./errors.ts";
import { RelayedError } from "./relayed-error.ts";

/** The body of every error of every HTTP API. */
export interface ErrorAnswer {
  readonly code: string;
  readonly message: string;
  /** What the reader can do. */
  readonly action: string;
  readonly facts: ErrorFacts;
  readonly traceId: string | undefined;
}

/** Maps what fastify itself throws to our codes. */
function codeOfFastifyError(error: { code?: unknown; statusCode?: unknown }): `FL_${string}` | undefined {
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return "FL_REQUEST_TOO_LARGE";
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return "FL_REQUEST_MEDIA_TYPE";
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
    case "FST_ERR_CTP_INVALID_JSON_BODY":
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return "FL_REQUEST_MALFORMED";
    default:
      return typeof error.statusCode === "number" && error.statusCode >= 400 && error.statusCode < 500
        ? "FL_REQUEST_MALFORMED"
        : undefined;
  }
}

/** The one place that turns an error into an HTTP answer. Causes and stacks stay in the log. */
export function errorAnswer(caught: unknown): { status: number; body: ErrorAnswer; error: FairleadError } {
  let error = FairleadError.from(caught);
  if (error.code === "FL_INTERNAL" && caught instanceof Error) {
    const code = codeOfFastifyError(caught as { code?: unknown; statusCode?: unknown });
    if (code !== undefined) error = new FairleadError(code, caught.message, { cause: caught });
  }
  const meaning = meaningOf(error.code);
  const relayed = error instanceof RelayedError ? error : undefined;
  const internal = error.code === "FL_INTERNAL" && relayed === undefined;
  return {
    error,
    status: relayed?.status ?? meaning?.httpStatus ?? 500,
    body: {
      code: error.code,
      message: internal ? "something failed inside the service; its log has the cause" : error.message,
      action: relayed?.action ?? meaning?.action ?? "",
      facts: internal ? {} : error.facts,
      traceId: trace.getActiveSpan()?.spanContext().traceId,
    },
  };
}
