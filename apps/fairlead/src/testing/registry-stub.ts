import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { runCommand } from "./run-command.ts";

/** A request that the command line made. */
export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly type: string | undefined;
  readonly body: string;
}

interface StubAnswer {
  readonly status: number;
  readonly body: string;
}

export const json = (body: object, status = 200): StubAnswer => ({ status, body: JSON.stringify(body) });

/** Answers in registry-sync's place, and runs commands against it. */
export class RegistryStub {
  readonly #server;
  /** Of the last command. */
  asked: Asked[] = [];
  answer: (request: Asked) => StubAnswer = () => json({});

  private constructor() {
    this.#server = createServer((request: IncomingMessage, response) => {
      let body = "";
      request.on("data", (bytes: Buffer) => (body += bytes.toString()));
      request.on("end", () => {
        const one: Asked = {
          method: request.method!,
          url: new URL(request.url!, "http://x"),
          type: request.headers["content-type"],
          body,
        };
        this.asked.push(one);
        const { status, body: text } = this.answer(one);
        response.writeHead(status).end(text);
      });
    });
  }

  static async start(): Promise<RegistryStub> {
    const stub = new RegistryStub();
    stub.#server.listen(0, "127.0.0.1");
    await once(stub.#server, "listening");
    return stub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
  }

  /** Runs `fairlead <args>`. */
  async run(args: readonly string[], input = ""): ReturnType<typeof runCommand> {
    this.asked = [];
    return await runCommand(args, input);
  }
}
