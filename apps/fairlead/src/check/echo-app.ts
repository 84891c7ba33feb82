import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** The smallest application: answers its name. It runs in this process, beside the visitor's sidecar. */
export class EchoApp {
  readonly #server: Server;
  port = 0;

  constructor(name: string) {
    this.#server = createServer((request, response) => {
      request.resume();
      response.end(name);
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", resolve);
    });
    this.port = (this.#server.address() as AddressInfo).port;
    this.#server.unref();
  }
}
