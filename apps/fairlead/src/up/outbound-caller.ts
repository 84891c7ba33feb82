import { Agent, request } from "node:http";

/** What came of one call. */
export interface CallOutcome {
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly body: string;
}

const timeoutMs = 5000;

/** Calls services as an application would, through one sidecar's outbound port. */
export class OutboundCaller {
  readonly port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(port: number) {
    this.port = port;
  }

  /** Never rejects: what went wrong is the outcome's body, with status 0. */
  async get(service: string, path: string): Promise<CallOutcome> {
    return await new Promise((resolve) => {
      const failed = (error: Error) => resolve({ status: 0, body: error.message });
      const sent = request({
        host: "127.0.0.1",
        port: this.port,
        path,
        agent: this.#agent,
        timeout: timeoutMs,
        headers: { host: service },
      });
      sent.once("error", failed);
      sent.once("timeout", () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      sent.once("response", (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => (body += text));
        response.once("error", failed);
        response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
      });
      sent.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
