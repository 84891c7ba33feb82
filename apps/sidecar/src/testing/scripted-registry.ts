import { createServer, type IncomingHttpHeaders, type Server } from "node:http";

export interface RegistryRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: Record<string, unknown>;
  readonly headers: IncomingHttpHeaders;
}

export interface RegistryReply {
  readonly status: number;
  /** A string is sent as it is. */
  readonly body: object | string;
}

/** registry-sync's HTTP API for tests: records each request, answers with the next revision unless the test says otherwise. */
export class ScriptedRegistry {
  readonly requests: RegistryRequest[] = [];
  /** Looks at each request first; undefined = answer as usual, "hang" = never. */
  reply: (request: RegistryRequest) => RegistryReply | "hang" | undefined = () => undefined;
  /** Sees each request that was answered with success. */
  stored: (request: RegistryRequest) => void = () => undefined;
  port = 0;
  leaseTtlMs = 30_000;
  #revision = 0;
  #server: Server | undefined;
  readonly #waiters = new Set<() => void>();

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts, or starts again on the same port. */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const body: Record<string, unknown> = text === "" ? {} : JSON.parse(text);
        const received = { method: request.method ?? "", path: request.url ?? "", body, headers: request.headers };
        this.requests.push(received);
        const reply = this.reply(received) ?? { status: 200, body: this.#success(received) };
        if (reply !== "hang") {
          response.writeHead(reply.status, { "content-type": "application/json" });
          response.end(typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body));
          if (reply.status === 200) this.stored(received);
        }
        for (const check of this.#waiters) check();
      });
    });
    await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
    const address = server.address();
    if (typeof address === "object" && address !== null) this.port = address.port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** `POST /pub shop.Orders warming` of each request that changes something, without its query. */
  log(): string[] {
    return this.requests.filter(({ method }) => method !== "GET").map(shortly);
  }

  /** Resolves when `count` requests that fit have come. @throws after `deadlineMs` */
  async waitFor(
    what: string,
    fits: (request: RegistryRequest) => boolean,
    count = 1,
    deadlineMs = 10_000,
  ): Promise<RegistryRequest> {
    return await new Promise((resolve, reject) => {
      const check = (): void => {
        const last = this.requests.filter(fits)[count - 1];
        if (last === undefined) return;
        clearTimeout(timer);
        this.#waiters.delete(check);
        resolve(last);
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(check);
        reject(new Error(`${what}: not within ${deadlineMs} ms; requests were ${this.log().join(", ")}`));
      }, deadlineMs);
      this.#waiters.add(check);
      check();
    });
  }

  #success({ path }: RegistryRequest): object {
    if (path.startsWith("/v1/leases/renew")) return { leaseTtlMs: this.leaseTtlMs };
    if (path.startsWith("/v1/instances?")) return { instances: [] };
    if (path.startsWith("/v1/subscriptions?")) return { subscriptions: [] };
    const revision = (this.#revision += 1);
    const waited = path.includes("wait=converged");
    return {
      err_no: 0,
      err_msg: "success",
      revision,
      ...(waited ? { convergence: { revision, converged: true, proxies: 2, missing: [], rejected: [] } } : {}),
    };
  }
}

/** An error as registry-sync answers it. */
export function refusal(status: number, code: string, message = "refused by the test"): RegistryReply {
  return {
    status,
    body: { err_no: 1, err_msg: message, code, message, action: "see the test", facts: { why: "test" }, traceId: "0" },
  };
}

function shortly({ method, path, body }: RegistryRequest): string {
  const service = body["service"];
  const name =
    typeof service === "object" && service !== null && "interface" in service ? String(service.interface) : "";
  return [method, path.split("?")[0], name, body["state"]]
    .filter((part) => part !== undefined && part !== "")
    .join(" ");
}
