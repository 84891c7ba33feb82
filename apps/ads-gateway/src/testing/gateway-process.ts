import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { freePort, until } from "@fairlead/testing-basics";

const main = join(import.meta.dirname, "../main.ts");

/** For tests: a gateway as a process of its own, as an image starts it. It has the same ports each time it starts. */
export class GatewayProcess {
  readonly address: string;
  readonly debugUrl: string;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #log = "";

  private constructor(grpcPort: number, httpPort: number, natsUrl: string) {
    this.address = `127.0.0.1:${grpcPort}`;
    this.debugUrl = `http://127.0.0.1:${httpPort}`;
    this.#environment = {
      PATH: process.env["PATH"] ?? "",
      FAIRLEAD_NATS_URL: natsUrl,
      FAIRLEAD_GRPC_PORT: String(grpcPort),
      FAIRLEAD_HTTP_PORT: String(httpPort),
      FAIRLEAD_DEBOUNCE_QUIET: "5ms",
    };
  }

  /** Does not wait until it is ready: NATS may be away. */
  static async start(natsUrl: string): Promise<GatewayProcess> {
    const gateway = new GatewayProcess(await freePort(), await freePort(), natsUrl);
    gateway.start();
    return gateway;
  }

  start(): void {
    const child = spawn(process.execPath, [main], { env: this.#environment, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (this.#log = (this.#log + text).slice(-20_000)));
    }
    this.#child = child;
  }

  /** The end of what it logged. */
  get log(): string {
    return this.#log;
  }

  /** Resolves when it serves proxies. */
  async ready(): Promise<void> {
    await until("the gateway is ready", async () => (await this.#status()) === 200, 20_000);
  }

  /** Resolves when it listens, and serves no proxies yet. */
  async waiting(): Promise<void> {
    await until("the gateway waits", async () => (await this.#status()) === 503, 20_000);
  }

  async #status(): Promise<number> {
    const response = await fetch(`${this.debugUrl}/readyz`).catch(() => undefined);
    await response?.arrayBuffer();
    return response?.status ?? 0;
  }

  /** @returns the exit code; null when a signal ended it */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, "exit");
    child.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }
}
