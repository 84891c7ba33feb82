import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CallFailed } from "./mesh-caller.ts";
import type { ServedBy } from "./shop-service.ts";

/** @param trace is passed on with each call that the answer needs. @returns the answer's body; undefined = 404 */
export type Answering = (path: string, trace: Readonly<Record<string, string>>) => Promise<object | undefined>;

/** What belongs to a trace (W3C Trace Context) and is passed on with each call. */
function traceHeaders(request: IncomingMessage): Record<string, string> {
  const passedOn: Record<string, string> = {};
  for (const name of ["traceparent", "tracestate"]) {
    const value = request.headers[name];
    if (typeof value === "string") passedOn[name] = value;
  }
  return passedOn;
}

/** The HTTP server of one instance. GET only; /healthz answers while it runs, /readyz once it is published. */
export class ShopServer {
  /** Set once callers are sent here. */
  published = false;
  readonly #server: Server;

  constructor(servedBy: ServedBy, answer: Answering) {
    this.#server = createServer((request, response) => {
      request.resume();
      this.#answer(servedBy, answer, request, response).catch((error: Error) => {
        const status = error instanceof CallFailed ? 502 : 500;
        this.#send(response, status, { servedBy, error: error.message });
      });
    });
  }

  /** @returns the port that it listens on */
  async listen(bind: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, bind, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when what was under way is answered. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
  }

  async #answer(
    servedBy: ServedBy,
    answer: Answering,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const path = (request.url ?? "/").split("?")[0]!;
    if (path === "/healthz") return this.#send(response, 200, { status: "ok" });
    if (path === "/readyz") return this.#send(response, this.published ? 200 : 503, { ready: this.published });
    if (request.method !== "GET") return this.#send(response, 405, { servedBy, error: "only GET" });
    const body = await answer(path, traceHeaders(request));
    this.#send(response, body === undefined ? 404 : 200, body ?? { servedBy, error: `there is no ${path}` });
  }

  #send(response: ServerResponse, status: number, body: object): void {
    const text = JSON.stringify(body);
    response.setHeader("content-type", "application/json");
    response.setHeader("content-length", Buffer.byteLength(text));
    // A connection that stays open would keep `close` waiting.
    if (!this.#server.listening) response.setHeader("connection", "close");
    response.writeHead(status).end(text);
  }
}
