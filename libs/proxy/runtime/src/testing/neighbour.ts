import { call, keepAliveAgent } from "./client.ts";

/** Another client of the same proxy, one request after the other: whether it is served while somebody else misbehaves. */
export class Neighbour implements AsyncDisposable {
  served = 0;
  slowestMs = 0;
  readonly #agent = keepAliveAgent(1);
  readonly #running: Promise<void>;
  #over = false;

  constructor(port: number, path = "/small") {
    this.#running = this.#run(port, path);
    // Awaited at the end, where a failure belongs to the test.
    this.#running.catch(() => undefined);
  }

  async #run(port: number, path: string): Promise<void> {
    while (!this.#over) {
      const begun = performance.now();
      const { status } = await call(port, { path, agent: this.#agent });
      if (status !== 200) throw new Error(`the neighbour was answered ${status}`);
      this.served++;
      this.slowestMs = Math.max(this.slowestMs, performance.now() - begun);
    }
  }

  /** @throws Error when one of its requests failed */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#running;
    this.#agent.destroy();
  }
}
