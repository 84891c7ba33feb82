import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "@fairlead/testing-basics";
import { startTestNats, startTestPostgres } from "@fairlead/testing-servers";
import { hostOfInstance, instanceOf, type MeshSize } from "./catalogue.ts";
import { machineMs } from "./clock.ts";
import { InspectedProcess, mainOf } from "./inspected-process.ts";
import { seed } from "./seed.ts";

/** `fullPush`: what Fairlead's is measured against. */
export type GatewayKind = "fairlead" | "fullPush";

const fullPushGateway = join(import.meta.dirname, "full-push/full-push-gateway.ts");
const readyDeadlineMs = 120_000;
const publishRetryMs = 200;
const publishDeadlineMs = 30_000;
/** No host of the bench renews its lease. */
const leaseTtl = "24h";

/** PostgreSQL, nats-server, registry-sync, config-compiler and one ads-gateway: real ones, each a process. */
export class ControlPlane implements AsyncDisposable {
  readonly natsUrl: string;
  readonly grpcPort: number;
  readonly #gateways: Readonly<Record<GatewayKind, InspectedProcess>>;
  #gateway: InspectedProcess;
  readonly compiler: InspectedProcess;
  readonly #registry: InspectedProcess;
  readonly #registryUrl: string;
  readonly #gatewayUrl: string;
  readonly #servers: readonly { stop(): Promise<void> }[];

  private constructor(parts: {
    readonly natsUrl: string;
    readonly databaseUrl: string;
    readonly ports: readonly [registry: number, compiler: number, gateway: number, grpc: number];
    readonly servers: readonly { stop(): Promise<void> }[];
  }) {
    const [registry, compiler, gateway, grpc] = parts.ports;
    const shared = { FAIRLEAD_NATS_URL: parts.natsUrl, FAIRLEAD_DATABASE_URL: parts.databaseUrl };
    const port = (value: number) => ({ FAIRLEAD_HTTP_PORT: String(value) });
    this.natsUrl = parts.natsUrl;
    this.grpcPort = grpc;
    this.#servers = parts.servers;
    this.#registryUrl = `http://127.0.0.1:${registry}`;
    this.#gatewayUrl = `http://127.0.0.1:${gateway}`;
    this.#registry = new InspectedProcess(mainOf("registry-sync"), {
      ...shared,
      ...port(registry),
      FAIRLEAD_LEASE_TTL: leaseTtl,
    });
    this.compiler = new InspectedProcess(mainOf("config-compiler"), { ...shared, ...port(compiler) });
    const settings = { FAIRLEAD_NATS_URL: parts.natsUrl, ...port(gateway), FAIRLEAD_GRPC_PORT: String(grpc) };
    this.#gateways = {
      fairlead: new InspectedProcess(mainOf("ads-gateway"), settings),
      fullPush: new InspectedProcess(fullPushGateway, settings),
    };
    this.#gateway = this.#gateways.fairlead;
  }

  /** The one that was started last. */
  get gateway(): InspectedProcess {
    return this.#gateway;
  }

  /** Starts it with a mesh of that size, and without a gateway yet. */
  static async start(size: MeshSize): Promise<ControlPlane> {
    const [nats, postgres] = await Promise.all([startTestNats(), startTestPostgres()]);
    const servers = [nats, postgres];
    try {
      await seed(postgres.url, size);
      const controlPlane = new ControlPlane({
        natsUrl: nats.url,
        databaseUrl: postgres.url,
        ports: [await freePort(), await freePort(), await freePort(), await freePort()],
        servers,
      });
      try {
        controlPlane.#registry.start();
        controlPlane.compiler.start();
        await controlPlane.#ready(`${controlPlane.#registryUrl}/readyz`, controlPlane.#registry);
      } catch (error) {
        await controlPlane[Symbol.asyncDispose]();
        throw error;
      }
      return controlPlane;
    } catch (error) {
      for (const server of servers) await server.stop();
      throw error;
    }
  }

  /** Starts a new gateway: what was measured with the last one has left nothing. */
  async renewGateway(kind: GatewayKind): Promise<void> {
    await this.gateway.stop("SIGKILL");
    this.#gateway = this.#gateways[kind];
    this.gateway.start();
    await this.gatewayReady();
  }

  async gatewayReady(): Promise<void> {
    await this.#ready(`${this.#gatewayUrl}/readyz`, this.gateway);
  }

  /** Changes one endpoint's weight to `mark`, as an application does. @returns when it was asked for, and when it was stored */
  async publish(marker: number, mark: number): Promise<{ readonly askedMs: number; readonly storedMs: number }> {
    const { nodeId: _, state, ...service } = instanceOf(marker, 0, mark);
    const body = JSON.stringify({ service, node: hostOfInstance(marker, 0), state });
    const askedMs = machineMs();
    for (;;) {
      const response = await fetch(`${this.#registryUrl}/pub`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      const answer = await response.text();
      if (response.ok) return { askedMs, storedMs: machineMs() };
      // A machine with too much to do: the store did not answer in time, and says to repeat it.
      if (response.status !== 503 || machineMs() > askedMs + publishDeadlineMs) {
        throw new Error(`/pub answered ${response.status} ${answer}`);
      }
      await pause(publishRetryMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#services.map(async (service) => await service.stop("SIGKILL")));
    for (const server of this.#servers) await server.stop();
  }

  get #services(): readonly InspectedProcess[] {
    return [this.#registry, this.compiler, this.gateway];
  }

  async #ready(url: string, service: InspectedProcess): Promise<void> {
    const deadline = machineMs() + readyDeadlineMs;
    for (;;) {
      const answer = await fetch(url).catch(() => undefined);
      if (answer?.ok === true) return;
      if (!service.running || machineMs() > deadline) {
        throw new Error(`${service.program} did not become ready; its output ends with\n${service.output}`);
      }
      await pause(20);
    }
  }
}
