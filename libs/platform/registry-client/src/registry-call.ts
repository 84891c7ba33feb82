import { FairleadError } from "@fairlead/errors";
import { RelayedError } from "@fairlead/http-api";
import { currentTraceparent } from "@fairlead/telemetry";
import { changeAnswerSchema } from "@fairlead/registration";
import { z } from "zod";
import "./errors.ts";
import { exchange } from "./http-exchange.ts";

const factSchema = z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.null()]);
const errorAnswerSchema = z.object({
  code: z.templateLiteral(["FL_", z.string()]),
  message: z.string(),
  action: z.string().default(""),
  facts: z.record(z.string(), factSchema).catch({}),
});
/** What FL_NOT_CONVERGED carries besides. */
const furtherSchema = changeAnswerSchema.partial().catch({});

export interface HttpCall {
  readonly method: "GET" | "POST" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly body?: object;
  /** For each attempt, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** One registry-sync. Its URL may carry credentials for what stands before it: they go into a header and never into a message. */
class Endpoint {
  readonly base: string;
  readonly host: string;
  readonly authorization: string | undefined;

  constructor(text: string) {
    const url = new URL(text);
    const { username, password } = url;
    if (username !== "" || password !== "") {
      const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      this.authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
    }
    url.username = "";
    url.password = "";
    this.base = url.href.replace(/\/$/, "");
    this.host = url.host;
  }
}

async function attempt(endpoint: Endpoint, call: HttpCall): Promise<unknown> {
  const timeout = AbortSignal.timeout(Math.ceil(call.timeoutMs));
  const traceparent = currentTraceparent();
  const { status, text } = await exchange(`${endpoint.base}${call.path}`, {
    method: call.method,
    headers: {
      ...(call.body === undefined ? {} : { "content-type": "application/json" }),
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(endpoint.authorization === undefined ? {} : { authorization: endpoint.authorization }),
    },
    body: call.body === undefined ? undefined : JSON.stringify(call.body),
    signal: call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal]),
  });
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`HTTP ${status} without JSON`);
  }
  if (status >= 200 && status < 300) return answer;
  const error = errorAnswerSchema.safeParse(answer);
  if (!error.success) throw new Error(`HTTP ${status} without an error code`);
  throw new RelayedError({ ...error.data, status, further: furtherSchema.parse(answer) });
}

/** In the operator's words; a name with several addresses has an error of each. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  return error instanceof AggregateError ? error.errors.map(String).join(", ") : error.message;
}

/**
 * Calls registry-sync at one of several URLs: the one that answered last, then the others. An answer that refuses
 * is final; no answer, or one without our error shape (a proxy in between), leads to the next URL.
 */
export class RegistryCaller {
  readonly #endpoints: readonly Endpoint[];
  #preferred = 0;

  constructor(urls: readonly string[]) {
    this.#endpoints = urls.map((url) => new Endpoint(url));
  }

  /** @throws FairleadError FL_REGISTRY_UNAVAILABLE; RelayedError; the signal's reason when it is aborted */
  async call(call: HttpCall): Promise<unknown> {
    const failures: string[] = [];
    let tookLong = false;
    // One more attempt than URLs: a kept-alive connection may have been closed by a registry that restarted.
    for (let count = 0; count <= this.#endpoints.length; count += 1) {
      if (count === this.#endpoints.length && tookLong) break;
      const index = (this.#preferred + count) % this.#endpoints.length;
      const endpoint = this.#endpoints[index]!;
      try {
        const answer = await attempt(endpoint, call);
        this.#preferred = index;
        return answer;
      } catch (error) {
        call.signal?.throwIfAborted();
        if (error instanceof RelayedError) {
          this.#preferred = index;
          throw error;
        }
        tookLong ||= error instanceof Error && error.name === "TimeoutError";
        failures.push(`${endpoint.host}: ${reasonOf(error)}`);
      }
    }
    throw new FairleadError(
      "FL_REGISTRY_UNAVAILABLE",
      `registry-sync did not answer ${call.method} ${call.path.split("?")[0]}: ${[...new Set(failures)].join("; ")}`,
      { facts: { tried: [...new Set(failures)] } },
    );
  }
}
