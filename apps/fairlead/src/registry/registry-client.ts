import { type ErrorFacts, FairleadError } from "@fairlead/errors";
import { convergenceReportSchema } from "@fairlead/registration";
import { z } from "zod";
import "../errors.ts";

/** What an error answer of any Fairlead API looks like. */
const errorSchema = z.object({
  code: z.templateLiteral(["FL_", z.string()]),
  message: z.string(),
  action: z.string().default(""),
  facts: z.record(z.string(), z.unknown()).default({}),
  /** Of FL_NOT_CONVERGED. */
  convergence: convergenceReportSchema.optional(),
});
type RegistryError = z.output<typeof errorSchema>;

/** Each thing that is wrong, in a line: fields of a policy, proxies that have not ACKed, objects that did not compile. */
function detailsOf({ facts, convergence }: RegistryError): string[] {
  const { problems } = facts;
  return [
    ...(Array.isArray(problems) ? problems.map(String) : []),
    ...(convergence?.missing ?? []).map(({ node, type, reason }) => `${node} ${type}: ${reason}`),
    ...(convergence?.rejected ?? []).map(
      ({ key, file, line, message }) => `${file === "" ? key : `${file}:${line} ${key}`}: ${message}`,
    ),
  ];
}

export interface RegistryRequest<Answer extends z.ZodType> {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  /** With its query, e.g. `/v1/policies?wait=converged`. */
  readonly path: string;
  readonly body?: { readonly type: "application/json" | "application/yaml"; readonly text: string };
  readonly answer: Answer;
  /** @default 10 s */
  readonly timeoutMs?: number;
}

/** registry-sync's HTTP API, as the command line uses it. */
export class RegistryClient {
  readonly url: string;

  constructor(url: string) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new FairleadError(
        "FL_CLI_USAGE",
        `${JSON.stringify(url)} is not the URL of a registry-sync; it looks like http://127.0.0.1:13300`,
      );
    }
    this.url = url.replace(/\/+$/, "");
  }

  /**
   * @throws FairleadError with the API's own code where it refuses; FL_CLI_UNREACHABLE; FL_CLI_BAD_ANSWER
   */
  async call<Answer extends z.ZodType>(request: RegistryRequest<Answer>): Promise<z.output<Answer>> {
    const { status, text } = await this.#send(request);
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw this.#badAnswer(status, text, cause);
    }
    if (status >= 400) {
      const refused = errorSchema.safeParse(json);
      if (!refused.success) throw this.#badAnswer(status, text, refused.error);
      const { code, message, action, facts } = refused.data;
      throw new FairleadError(code, message, {
        facts: { ...(facts as ErrorFacts), action, details: detailsOf(refused.data) },
      });
    }
    const parsed = request.answer.safeParse(json);
    if (!parsed.success) throw this.#badAnswer(status, text, parsed.error);
    return parsed.data;
  }

  async #send(request: RegistryRequest<z.ZodType>): Promise<{ status: number; text: string }> {
    try {
      const response = await fetch(this.url + request.path, {
        method: request.method ?? "GET",
        ...(request.body === undefined
          ? {}
          : { body: request.body.text, headers: { "content-type": request.body.type } }),
        signal: AbortSignal.timeout(request.timeoutMs ?? 10_000),
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      const { message, cause: inner } = cause as Error;
      const reason = inner instanceof Error ? inner.message : message;
      throw new FairleadError("FL_CLI_UNREACHABLE", `no answer from registry-sync at ${this.url}: ${reason}`, {
        facts: { url: this.url },
        cause,
      });
    }
  }

  #badAnswer(status: number, text: string, cause: unknown): FairleadError {
    const message = `${this.url} answered ${status} with something that registry-sync does not: ${JSON.stringify(text.slice(0, 120))}`;
    return new FairleadError("FL_CLI_BAD_ANSWER", message, { facts: { url: this.url, status }, cause });
  }
}
