import { createServer, type Server } from "node:http";
import { listen } from "@fairlead/testing-basics";

/** The application: answers with its name, slowly where the path says so. */
export class TestApp {
  readonly #server: Server;
  port = 0;
  readonly #slow: (() => void)[] = [];

  constructor(name: string) {
    this.#server = createServer((incoming, response) => {
      if (incoming.url === "/slow") this.#slow.push(() => response.end(`${name} slowly`));
      else response.end(name);
    });
  }

  async start(): Promise<void> {
    this.port = await listen(this.#server);
  }

  get waiting(): number {
    return this.#slow.length;
  }

  finishSlow(): void {
    for (const finish of this.#slow.splice(0)) finish();
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
