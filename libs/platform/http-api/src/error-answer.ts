import { FairleadError, meaningOf, type ErrorFacts } from "@fairlead/errors";
import { trace } from "@opentelemetry/api";
import type { FastifyRequest } from "fastify";
import { type BodyRules, bodyRulesOf } from "./body-rules.ts";
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

/** With the limit that was passed, and the types that are taken. */
function messageFor(
  code: string,
  fallback: string,
  rules: BodyRules | undefined,
  sentType: string | undefined,
): string {
  if (rules === undefined) return fallback;
  const types = rules.contentTypes.join(", ");
  if (code === "FL_REQUEST_TOO_LARGE") return `the body is larger than ${rules.maxBytes} bytes`;
  if (code !== "FL_REQUEST_MEDIA_TYPE") return fallback;
  const sent =
    sentType === undefined ? "no content-type" : `the content-type ${JSON.stringify(sentType.slice(0, 100))}`;
  return `the request has ${sent}; expected is ${types}`;
}

/**
 * The one place that turns an error into an HTTP answer. Causes and stacks stay in the log.
 *
 * @param request where what fastify itself refused is to be explained: a body that is too large, or of another type
 */
export function errorAnswer(
  caught: unknown,
  request?: FastifyRequest,
): { status: number; body: ErrorAnswer; error: FairleadError } {
  let error = FairleadError.from(caught);
  if (error.code === "FL_INTERNAL" && caught instanceof Error) {
    const code = codeOfFastifyError(caught as { code?: unknown; statusCode?: unknown });
    if (code !== undefined) {
      const rules = request === undefined ? undefined : bodyRulesOf(request);
      const message = messageFor(code, caught.message, rules, request?.headers["content-type"]);
      error = new FairleadError(code, message, { cause: caught });
    }
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
