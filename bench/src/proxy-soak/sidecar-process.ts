import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { cpuSeconds, familyOf, residentMiB } from "../os-process.ts";

export interface SidecarPorts {
  readonly outbound: number;
  readonly inbound: number;
  readonly admin: number;
  readonly api: number;
}

/** A sidecar with hot restart: a supervisor, and the process that serves. */
export class SidecarProcess {
  readonly ports: SidecarPorts;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #lines: { readonly msg?: string }[] = [];

  constructor(ports: SidecarPorts, adsAddress: string, drainSeconds: number) {
    this.ports = ports;
    this.#process = spawn(process.execPath, [fileURLToPath(import.meta.resolve("@fairlead/sidecar/main"))], {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        FAIRLEAD_HOT_RESTART: "true",
        FAIRLEAD_APP: "soak",
        FAIRLEAD_NODE_ID: "sidecar~127.0.0.1~soak~fairlead",
        FAIRLEAD_API_PORT: String(ports.api),
        FAIRLEAD_ADMIN_PORT: String(ports.admin),
        FAIRLEAD_OUTBOUND_PORT: String(ports.outbound),
        FAIRLEAD_OUTBOUND_RPC_PORT: "0",
        FAIRLEAD_INBOUND_PORT: String(ports.inbound),
        // Nobody is there: what is registered is not what is looked at.
        FAIRLEAD_REGISTRY_URL: "http://127.0.0.1:9",
        FAIRLEAD_ADS_ADDRESS: adsAddress,
        FAIRLEAD_ADS_VARIANT: "sotw",
        FAIRLEAD_DRAIN_TIMEOUT: `${drainSeconds}s`,
      },
    });
    let rest = "";
    this.#process.stdout?.on("data", (chunk) => {
      const lines = `${rest}${String(chunk)}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        this.#lines.push(JSON.parse(line) as { msg?: string });
      }
    });
    this.#exited = new Promise((resolve) => this.#process.once("exit", resolve));
    process.once("exit", () => this.#process.kill("SIGKILL"));
  }

  /** @throws Error */
  async serving(): Promise<void> {
    await this.#until(() => this.#count("serving") > 0, "the sidecar serves");
  }

  /** SIGHUP; resolves when the next process serves and the one before it has ended. @throws Error */
  async restart(): Promise<void> {
    const before = this.#count("the process that was replaced has ended");
    this.#process.kill("SIGHUP");
    await this.#until(() => this.#count("the process that was replaced has ended") > before, "the hot restart");
  }

  async stat(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.ports.admin}/stats?filter=${name}`)).text();
    return Number(/: (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
  }

  /** Of all of its processes that run now. */
  cpuSeconds(): number {
    return familyOf(this.#process.pid ?? 0).reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  }

  residentMiB(): number {
    return familyOf(this.#process.pid ?? 0).reduce((sum, pid) => sum + residentMiB(pid), 0);
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#exited;
  }

  #count(message: string): number {
    return this.#lines.filter(({ msg }) => msg === message).length;
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    const end = performance.now() + 60_000;
    while (!condition()) {
      if (performance.now() > end || this.#process.exitCode !== null) throw new Error(`not in time: ${what}`);
      await pause(20);
    }
  }
}
