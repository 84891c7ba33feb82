import { type ChildProcess, spawn } from "node:child_process";
import { freePort, until } from "@fairlead/testing-basics";

export interface RunningSidecarOptions {
  /** The program. */
  readonly main: string;
  readonly ports: RunningSidecar["ports"];
  readonly ads: string;
  readonly registryUrl: string;
  /** Variables on top of those that say where everything is. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A sidecar as it is run: the supervisor, and the processes that serve. */
export class RunningSidecar {
  readonly ports: { readonly api: number; readonly admin: number; readonly outbound: number; readonly inbound: number };
  readonly lines: Record<string, unknown>[] = [];
  readonly #process: ChildProcess;
  readonly #exited: Promise<number | null>;

  constructor({ main, ports, ads, registryUrl, settings }: RunningSidecarOptions) {
    this.ports = ports;
    this.#process = spawn(process.execPath, [main], {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        FAIRLEAD_HOT_RESTART: "true",
        FAIRLEAD_APP: "orders",
        FAIRLEAD_NODE_ID: "sidecar~127.0.0.1~orders~fairlead",
        FAIRLEAD_API_PORT: String(ports.api),
        FAIRLEAD_ADMIN_PORT: String(ports.admin),
        FAIRLEAD_OUTBOUND_PORT: String(ports.outbound),
        FAIRLEAD_OUTBOUND_RPC_PORT: "0",
        FAIRLEAD_INBOUND_PORT: String(ports.inbound),
        FAIRLEAD_REGISTRY_URL: registryUrl,
        FAIRLEAD_ADS_ADDRESS: ads,
        FAIRLEAD_ADS_VARIANT: "sotw",
        FAIRLEAD_DRAIN_TIMEOUT: "2s",
        ...settings,
      },
    });
    let rest = "";
    this.#process.stdout?.on("data", (chunk) => {
      const lines = `${rest}${String(chunk)}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.lines.push(JSON.parse(line) as Record<string, unknown>);
    });
    this.#exited = new Promise((resolve) => this.#process.once("exit", resolve));
  }

  /** SIGHUP, and then the process of the next epoch serves and the one before it has ended. */
  async restart(): Promise<void> {
    const ended = this.#count("the process that was replaced has ended");
    this.#process.kill("SIGHUP");
    await until("a restart", () => this.#count("the process that was replaced has ended") > ended, 60_000);
  }

  get supervisorPid(): number | undefined {
    return this.#process.pid;
  }

  /** The process that serves. */
  get pid(): number {
    const { epoch } = this.lines.findLast(({ msg }) => msg === "serving") ?? {};
    return Number(this.lines.findLast((line) => line["msg"] === "starting" && line["epoch"] === epoch)?.["pid"]);
  }

  async stop(): Promise<number | null> {
    this.#process.kill("SIGTERM");
    return await this.#exited;
  }

  async admin(path: string): Promise<string> {
    return await (await fetch(`http://127.0.0.1:${this.ports.admin}${path}`)).text();
  }

  async stat(name: string): Promise<number> {
    return Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(await this.admin("/stats"))?.[1] ?? -1);
  }

  async api(
    path: string,
    body?: object,
  ): Promise<{ readonly err_no?: number; readonly publications?: readonly { readonly state: string }[] }> {
    const post = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${this.ports.api}${path}`, body === undefined ? {} : post);
    return (await response.json()) as object;
  }

  #count(message: string): number {
    return this.lines.filter(({ msg }) => msg === message).length;
  }
}

export async function freePorts(): Promise<RunningSidecar["ports"]> {
  return { api: await freePort(), admin: await freePort(), outbound: await freePort(), inbound: await freePort() };
}
