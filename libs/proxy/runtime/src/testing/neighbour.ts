import { call, keepAliveAgent } from "./client.ts";

const PACE_MS = 10;

/** Another client of the same proxy, one request after the other: whether it is served while somebody else misbehaves. */
export class Neighbour implements AsyncDisposable {
  served = 0;
  slowestMs = 0;
  /** Of the first of its requests that was not served; it has sent none since. */
  failure: string | undefined;
  readonly #agent = keepAliveAgent(1);
  readonly #running: Promise<void>;
  #over = false;

  constructor(port: number, path = "/small") {
    this.#running = this.#run(port, path).catch((error: unknown) => {
      this.failure = String(error);
    });
  }

  async #run(port: number, path: string): Promise<void> {
    while (!this.#over) {
      const begun = performance.now();
      const { status } = await call(port, { path, agent: this.#agent });
      if (status !== 200) throw new Error(`the neighbour was answered ${status}`);
      this.served++;
      this.slowestMs = Math.max(this.slowestMs, performance.now() - begun);
      // Leaves the cores to the attack.
      await new Promise((resolve) => {
        setTimeout(resolve, PACE_MS);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#running;
    this.#agent.destroy();
  }
}
