import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { freePort, until } from "@fairlead/testing-basics";
import { startTestNats, startTestPostgres } from "@fairlead/testing-servers";

const repository = join(import.meta.dirname, "../..");

/** One service as its own process, started the way an image starts it. */
export class ServiceProcess {
  readonly app: string;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #output = "";

  constructor(app: string, environment: Readonly<Record<string, string>>) {
    this.app = app;
    this.#environment = environment;
  }

  start(): void {
    const child = spawn(process.execPath, [join(repository, "apps", this.app, "src/main.ts")], {
      env: { PATH: process.env["PATH"] ?? "", FAIRLEAD_LOG_LEVEL: "info", ...this.#environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (bytes: Buffer) => (this.#output = (this.#output + bytes.toString()).slice(-20_000)));
    }
    this.#child = child;
  }

  /** The end of what it wrote: for the message of a failed test. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    const killer = setTimeout(() => child.kill("SIGKILL"), 15_000);
    await exited;
    clearTimeout(killer);
  }
}

export interface SidecarProcess extends ServiceProcess {
  readonly api: string;
  readonly admin: string;
  readonly outbound: string;
  readonly nodeId: string;
}

/** A whole mesh as separate processes on a real PostgreSQL and a real nats-server. */
export class MeshProcesses {
  readonly registryUrl: string;
  readonly nats: Awaited<ReturnType<typeof startTestNats>>;
  readonly postgres: Awaited<ReturnType<typeof startTestPostgres>>;
  readonly registry: ServiceProcess;
  readonly compilers: readonly ServiceProcess[];
  readonly gateways: readonly (ServiceProcess & { readonly grpcAddress: string; readonly debugUrl: string })[];
  readonly #sidecars: SidecarProcess[] = [];

  private constructor(
    parts: Pick<MeshProcesses, "registryUrl" | "nats" | "postgres" | "registry" | "compilers" | "gateways">,
  ) {
    this.registryUrl = parts.registryUrl;
    this.nats = parts.nats;
    this.postgres = parts.postgres;
    this.registry = parts.registry;
    this.compilers = parts.compilers;
    this.gateways = parts.gateways;
  }

  static async start(size: {
    gateways: number;
    compilers: number;
    environment?: Readonly<Record<string, string>>;
  }): Promise<MeshProcesses> {
    const [nats, postgres] = await Promise.all([startTestNats(), startTestPostgres()]);
    const shared = { FAIRLEAD_NATS_URL: nats.url, FAIRLEAD_DATABASE_URL: postgres.url, ...size.environment };
    const registryPort = await freePort();
    const registry = new ServiceProcess("registry-sync", { ...shared, FAIRLEAD_HTTP_PORT: String(registryPort) });
    const compilers = [];
    for (let index = 0; index < size.compilers; index += 1) {
      compilers.push(
        new ServiceProcess("config-compiler", { ...shared, FAIRLEAD_HTTP_PORT: String(await freePort()) }),
      );
    }
    const gateways = [];
    for (let index = 0; index < size.gateways; index += 1) {
      const [grpc, http] = [await freePort(), await freePort()];
      const gateway = new ServiceProcess("ads-gateway", {
        ...shared,
        FAIRLEAD_GRPC_PORT: String(grpc),
        FAIRLEAD_HTTP_PORT: String(http),
      });
      gateways.push(Object.assign(gateway, { grpcAddress: `127.0.0.1:${grpc}`, debugUrl: `http://127.0.0.1:${http}` }));
    }
    const mesh = new MeshProcesses({
      registryUrl: `http://127.0.0.1:${registryPort}`,
      nats,
      postgres,
      registry,
      compilers,
      gateways,
    });
    for (const service of mesh.#controlPlane()) service.start();
    await mesh.ready(`${mesh.registryUrl}/readyz`, registry);
    for (const gateway of gateways) await mesh.ready(`${gateway.debugUrl}/readyz`, gateway);
    return mesh;
  }

  /** Waits until a service answers 200; a process that has ended fails the wait with its output. */
  async ready(url: string, service: ServiceProcess): Promise<void> {
    const answers = async (): Promise<boolean> => await fetch(url).then(({ ok }) => ok, () => false); // prettier-ignore
    await until(`${service.app} ready at ${url}`, answers, 30_000).catch((error: unknown) => {
      throw new Error(`${service.app} did not become ready; its output ends with\n${service.output}`, {
        cause: error,
      });
    });
  }

  async sidecar(app: string, gateway = 0): Promise<SidecarProcess> {
    const [api, admin, outbound, inbound] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const nodeId = `sidecar~127.0.0.1~${app}-${this.#sidecars.length}~fairlead`;
    const service = new ServiceProcess("sidecar", {
      FAIRLEAD_APP: app,
      FAIRLEAD_NODE_ID: nodeId,
      FAIRLEAD_API_PORT: String(api),
      FAIRLEAD_ADMIN_PORT: String(admin),
      FAIRLEAD_OUTBOUND_PORT: String(outbound),
      FAIRLEAD_INBOUND_PORT: String(inbound),
      FAIRLEAD_REGISTRY_URL: this.registryUrl,
      FAIRLEAD_ADS_ADDRESS: this.gateways[gateway]!.grpcAddress,
    });
    const sidecar = Object.assign(service, {
      api: `http://127.0.0.1:${api}`,
      admin: `http://127.0.0.1:${admin}`,
      outbound: `http://127.0.0.1:${outbound}`,
      nodeId,
    });
    this.#sidecars.push(sidecar);
    sidecar.start();
    await this.ready(`${sidecar.admin}/ready`, sidecar);
    return sidecar;
  }

  async stop(): Promise<void> {
    for (const sidecar of this.#sidecars) await sidecar.stop("SIGKILL");
    for (const service of this.#controlPlane()) await service.stop("SIGKILL");
    await this.nats.stop();
    await this.postgres.stop();
  }

  #controlPlane(): ServiceProcess[] {
    return [this.registry, ...this.compilers, ...this.gateways];
  }
}
