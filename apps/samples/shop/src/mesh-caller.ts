import { Agent, request } from "node:http";

/** An answer that is not 2xx, or none: the caller answers 502 with this message. */
export class CallFailed extends Error {
  override readonly name = "CallFailed";
}

/** Calls `path` of another service and gives the JSON it answers. @throws CallFailed */
export type Call = (service: string, path: string, form?: "host" | "proxy") => Promise<unknown>;

const timeoutMs = 5000;
const maxAnswerBytes = 1024 * 1024;

/**
 * The two ways in which an HTTP client says which service it means while it talks to its sidecar:
 * `host` puts the name into the Host header; `proxy` asks for an absolute URL, as clients do that honour `http_proxy`.
 */
function pathFor(form: "host" | "proxy", service: string, path: string): string {
  return form === "host" ? path : `http://${service}${path}`;
}

/** Calls other services through one sidecar, over connections that stay open. */
export class MeshCaller {
  readonly #outbound: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(outbound: URL) {
    this.#outbound = outbound;
  }

  /** @param traceHeaders `traceparent` and `tracestate` of the request that causes the calls */
  inTrace(traceHeaders: Readonly<Record<string, string>>): Call {
    return async (service, path, form = "host") => {
      const { status, body } = await this.#send(pathFor(form, service, path), { ...traceHeaders, host: service }).catch(
        (error: Error) => {
          throw new CallFailed(`${service}${path}: ${error.message}`, { cause: error });
        },
      );
      if (status < 200 || status > 299)
        throw new CallFailed(`${service}${path} answered ${status}: ${body.slice(0, 200)}`);
      try {
        return JSON.parse(body) as unknown;
      } catch (cause) {
        throw new CallFailed(`${service}${path} answered something that is not JSON: ${body.slice(0, 200)}`, { cause });
      }
    };
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send(path: string, headers: Readonly<Record<string, string>>): Promise<{ status: number; body: string }> {
    return await new Promise((resolve, reject) => {
      const sent = request({
        path,
        hostname: this.#outbound.hostname,
        port: this.#outbound.port,
        agent: this.#agent,
        timeout: timeoutMs,
        headers: { ...headers, accept: "application/json" },
      });
      sent.once("error", reject);
      sent.once("timeout", () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      sent.once("response", (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => {
          body += text;
          if (body.length > maxAnswerBytes) sent.destroy(new Error(`an answer of more than ${maxAnswerBytes} bytes`));
        });
        response.once("error", reject);
        response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
      });
      sent.end();
    });
  }
}
