import { FairleadError } from "@fairlead/errors";
import { inSpan } from "@fairlead/telemetry";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { BodyRules } from "./body-rules.ts";
import { errorAnswer, type ErrorAnswer } from "./error-answer.ts";

export interface RouteRequest<Body, Query, Params> {
  readonly body: Body;
  readonly query: Query;
  readonly params: Params;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** One operation: its schemas check the input, and are its part of openapi.json. Unknown fields are refused. */
export interface Route<
  Body extends z.ZodType,
  Query extends z.ZodType,
  Params extends z.ZodType,
  Answer extends z.ZodType,
> {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly body?: Body;
  /** What the body may be. @default JSON, as long as the API takes */
  readonly accepts?: Partial<BodyRules>;
  readonly query?: Query;
  readonly params?: Params;
  /** Described in openapi.json; answers are not checked at run time. */
  readonly answer: Answer;
  /** @default 200 */
  readonly status?: number;
  /** Changes the shape of this operation's error bodies, e.g. to MOSN's `err_no`; `error` is what the answer was made of. */
  readonly formatError?: (answer: ErrorAnswer, error: FairleadError) => object;
  handle(
    request: RouteRequest<z.output<Body>, z.output<Query>, z.output<Params>>,
    reply: FastifyReply,
  ): Promise<z.input<Answer>>;
}

function check<Type extends z.ZodType>(where: string, type: Type | undefined, value: unknown): z.output<Type> {
  if (type === undefined) return undefined as z.output<Type>;
  const parsed = type.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const path = [where, ...issue.path.map(String)].join(".");
    return `${path}: ${issue.message}`;
  });
  throw new FairleadError("FL_REQUEST_INVALID", problems.join("; "), { facts: { problems } });
}

function jsonSchema(type: z.ZodType | undefined, io: "input" | "output"): object | undefined {
  if (type === undefined) return undefined;
  const { $schema: _, ...schema } = z.toJSONSchema(type, { target: "draft-7", io, unrepresentable: "any" });
  return schema;
}

/** Adds an operation to an API made by `createHttpApi`. Every call runs in a span of the caller's trace. */
export function addRoute<
  Body extends z.ZodType,
  Query extends z.ZodType,
  Params extends z.ZodType,
  Answer extends z.ZodType,
>(api: FastifyInstance, route: Route<Body, Query, Params, Answer>): void {
  const status = route.status ?? 200;
  api.route({
    method: route.method,
    url: route.path,
    config: route.accepts?.contentTypes === undefined ? {} : { contentTypes: route.accepts.contentTypes },
    ...(route.accepts?.maxBytes === undefined ? {} : { bodyLimit: route.accepts.maxBytes }),
    schema: {
      summary: route.summary,
      ...(route.description === undefined ? {} : { description: route.description }),
      ...(route.body === undefined ? {} : { body: jsonSchema(route.body, "input") }),
      ...(route.query === undefined ? {} : { querystring: jsonSchema(route.query, "input") }),
      ...(route.params === undefined ? {} : { params: jsonSchema(route.params, "input") }),
      response: { [status]: { description: "Done.", ...jsonSchema(route.answer, "output") } },
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const gone = new AbortController();
      reply.raw.once("close", () => gone.abort());
      const header = request.headers["traceparent"];
      const traceparent = typeof header === "string" ? header : undefined;
      return await inSpan(
        `${route.method} ${route.path}`,
        { "http.request.method": route.method, "http.route": route.path },
        async (span) => {
          try {
            const answer = await route.handle(
              {
                body: check("body", route.body, request.body),
                query: check("query", route.query, request.query),
                params: check("params", route.params, request.params),
                headers: request.headers,
                signal: gone.signal,
              },
              reply,
            );
            span.setAttribute("http.response.status_code", status);
            return await reply.code(status).send(answer);
          } catch (caught) {
            const { status: code, body, error } = errorAnswer(caught);
            span.setAttribute("http.response.status_code", code);
            if (code >= 500) span.recordException(error);
            if (code === 503 || code === 504) {
              // Something else is away or late; whoever notices that logs why, once.
              request.log.warn({ code: error.code, reason: error.message }, "request failed");
            } else if (code >= 500) {
              request.log.error({ err: error, code: error.code }, "request failed");
            } else {
              request.log.info({ code: error.code, reason: error.message }, "request refused");
            }
            return await reply.code(code).send(route.formatError?.(body, error) ?? body);
          }
        },
        traceparent,
      );
    },
  });
}
