import { once } from "node:events";
import { createServer } from "node:net";
import { listen } from "./listen.ts";

const lowestPort = 10_000;
/** With fewer to choose from, processes side by side would often choose the same. */
const leastPorts = 2_000;

/** @param port 0 lets the kernel choose @returns the port, undefined where somebody has it */
async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    return await listen(server, port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    return undefined;
  } finally {
    if (server.listening) {
      server.close();
      await once(server, "close");
    }
  }
}

/**
 * Ports for servers, below those that the kernel gives to outgoing connections (`ip_local_port_range` in ip(7)): on one
 * of those a server that is started again may find another's connection, and EADDRINUSE.
 */
export class FreePorts {
  readonly #count: number;
  readonly #random: () => number;
  readonly #taken = new Set<number>();

  /** @param firstEphemeralPort undefined where the kernel does not say it; then the kernel chooses */
  constructor(firstEphemeralPort: number | undefined, random: () => number = Math.random) {
    this.#count = Math.max(0, (firstEphemeralPort ?? 0) - lowestPort);
    this.#random = random;
  }

  /** One that nobody listens on, and that this gave to nobody. */
  async take(): Promise<number> {
    return this.#count < leastPorts ? await this.#takeAny() : await this.#takeBelow();
  }

  async #takeBelow(): Promise<number> {
    const first = Math.floor(this.#random() * this.#count);
    for (let i = 0; i < this.#count; i++) {
      const port = lowestPort + ((first + i) % this.#count);
      if (this.#taken.has(port)) continue;
      // Before the wait: another call may ask meanwhile.
      this.#taken.add(port);
      if ((await tryPort(port)) !== undefined) return port;
    }
    throw new Error(`each of ${this.#count} ports from ${lowestPort} on is taken`);
  }

  async #takeAny(): Promise<number> {
    for (;;) {
      const port = await tryPort(0);
      if (port === undefined || this.#taken.has(port)) continue;
      this.#taken.add(port);
      return port;
    }
  }
}
