import { FairleadError } from "@fairlead/errors";
import { z } from "zod";
import { RegistryClient } from "../registry/registry-client.ts";
import type { Progress } from "../terminal/progress.ts";
import type { DataFolder } from "./data-folder.ts";
import { sweepLeftovers } from "./leftovers.ts";
import { ManagedProcess, type ProcessEnd } from "./managed-process.ts";
import { MeshApp } from "./mesh-app.ts";
import type { FreePorts, PortPlan } from "./ports.ts";
import { untilReady } from "./readiness.ts";
import { type Sample, sampleProcess } from "./sample-process.ts";
import { siblingScript } from "./scripts.ts";
import { bridgeName } from "./zookeeper-installed.ts";

export interface LocalMeshOptions {
  readonly folder: DataFolder;
  readonly ports: PortPlan;
  readonly freePorts: FreePorts;
  readonly progress: Progress;
  /** A PostgreSQL of the user's own; undefined = one is started. */
  readonly databaseUrl: string | undefined;
  /** Whether a ZooKeeper is started, whose services are in the mesh. */
  readonly zooKeeper: boolean;
  /** Called when a process ends that nobody asked to. */
  readonly onCrash: (process: ManagedProcess, end: ProcessEnd) => void;
}

const postgresSays = z.object({ url: z.string(), port: z.number() });
const zooKeeperSays = z.object({ port: z.number() });

/** The mesh of `fairlead up`: PostgreSQL, the control plane, and applications behind sidecars, each a process of this one. */
export class LocalMesh {
  readonly registry: RegistryClient;
  readonly controlPlane: ManagedProcess;
  /** Set once everything has started: from then on what crashes is started again. */
  complete = false;
  readonly #options: LocalMeshOptions;
  /** Undefined where the user's own is used. */
  readonly postgres: ManagedProcess | undefined;
  /** Undefined where none is installed. */
  readonly zooKeeper: ManagedProcess | undefined;
  /** Of PostgreSQL's first run: it is started again on the same, as who uses it knows no other. */
  #postgresPort = 0;
  #zooKeeperPort = 0;
  readonly #controlPlaneEnvironment: Record<string, string>;
  readonly #apps = new Map<string, MeshApp>();
  readonly #outside: ManagedProcess[] = [];
  #stopping = false;

  constructor(options: LocalMeshOptions) {
    this.#options = options;
    const { folder, ports, databaseUrl } = options;
    this.registry = new RegistryClient(`http://127.0.0.1:${ports.controlPlane.registry}`);
    this.#controlPlaneEnvironment = {
      FAIRLEAD_DATABASE_URL: databaseUrl ?? "",
      FAIRLEAD_REGISTRY_PORT: String(ports.controlPlane.registry),
      FAIRLEAD_COMPILER_PORT: String(ports.controlPlane.compiler),
      FAIRLEAD_ADS_PORT: String(ports.controlPlane.ads),
      FAIRLEAD_ADS_DEBUG_PORT: String(ports.controlPlane.adsDebug),
    };
    this.controlPlane = this.#watched(
      new ManagedProcess({
        name: "control plane",
        script: siblingScript(import.meta.url, "../control-plane-process"),
        environment: this.#controlPlaneEnvironment,
        logFolder: folder.logs,
      }),
    );
    const below = (name: string, script: string, data: string) =>
      this.#watched(
        new ManagedProcess({
          name,
          script: siblingScript(import.meta.url, script),
          args: [data],
          environment: {},
          logFolder: folder.logs,
        }),
      );
    if (databaseUrl === undefined) this.postgres = below("PostgreSQL", "./postgres-process", folder.postgres);
    if (options.zooKeeper) this.zooKeeper = below("ZooKeeper", "./zookeeper-process", folder.zookeeper);
  }

  get zooKeeperAddress(): string {
    return `127.0.0.1:${this.#zooKeeperPort}`;
  }

  get adsAddress(): string {
    return `127.0.0.1:${this.#options.ports.controlPlane.ads}`;
  }

  get debugUrl(): string {
    return `http://127.0.0.1:${this.#options.ports.controlPlane.adsDebug}`;
  }

  get logFolder(): string {
    return this.#options.folder.logs;
  }

  get firstSidecarPorts(): MeshApp["ports"] {
    return this.#options.ports.firstSidecar;
  }

  /** PostgreSQL, then the control plane. */
  async start(): Promise<void> {
    const { progress, folder } = this.#options;
    if (this.postgres !== undefined) {
      await progress.step(
        "PostgreSQL",
        async () => await this.startPostgres(),
        () => `127.0.0.1:${this.#postgresPort}, data in ${folder.path}`,
      );
    }
    if (this.zooKeeper === undefined) {
      progress.line(
        "  – left out: a service registered only in ZooKeeper. None is installed (apt-get install zookeeper)",
      );
    } else {
      await progress.step(
        "ZooKeeper",
        async () => await this.startZooKeeper(),
        () => this.zooKeeperAddress,
      );
    }
    await progress.step(
      "control plane",
      async () => await this.startControlPlane(),
      () => `registry ${this.registry.url}, ADS ${this.adsAddress}`,
    );
    await sweepLeftovers(this.registry);
  }

  /** Resolves when it takes connections. */
  async startPostgres(): Promise<void> {
    if (this.#stopping || this.postgres === undefined)
      throw new FairleadError("FL_INTERNAL", "the mesh is being stopped");
    this.postgres.start([String(this.#postgresPort)]);
    const { url, port } = postgresSays.parse(await this.postgres.message());
    this.#postgresPort = port;
    this.#controlPlaneEnvironment["FAIRLEAD_DATABASE_URL"] = url;
  }

  /** Resolves when it takes clients. */
  async startZooKeeper(): Promise<void> {
    if (this.#stopping || this.zooKeeper === undefined)
      throw new FairleadError("FL_INTERNAL", "the mesh is being stopped");
    this.zooKeeper.start([String(this.#zooKeeperPort)]);
    this.#zooKeeperPort = zooKeeperSays.parse(await this.zooKeeper.message()).port;
    const own = process.env["FAIRLEAD_BRIDGES"] ?? "";
    this.#controlPlaneEnvironment["FAIRLEAD_BRIDGES"] =
      `${own} ${bridgeName}=zookeeper://${this.zooKeeperAddress}`.trim();
  }

  /** Resolves when registry-sync, config-compiler and ads-gateway are ready. */
  async startControlPlane(): Promise<void> {
    const { compiler } = this.#options.ports.controlPlane;
    if (this.#stopping) throw new FairleadError("FL_INTERNAL", "the mesh is being stopped");
    this.controlPlane.start();
    await untilReady(this.controlPlane, `${this.registry.url}/readyz`);
    await untilReady(this.controlPlane, `http://127.0.0.1:${compiler}/readyz`);
    await untilReady(this.controlPlane, `${this.debugUrl}/readyz`);
  }

  /**
   * Adds a sidecar, with the sample beside it where one is named, and resolves when it takes part.
   *
   * @param options.ports of the sidecar. @default free ones
   */
  async add(options: {
    readonly name: string;
    readonly app: string;
    readonly sample?: { readonly service: string; readonly version: string };
    readonly ports?: MeshApp["ports"];
  }): Promise<MeshApp> {
    const { freePorts, folder, progress } = this.#options;
    const { sample } = options;
    const app = new MeshApp({
      name: options.name,
      app: options.app,
      ports: options.ports ?? (await freePorts.sidecar()),
      controlPlane: { registryUrl: this.registry.url, adsAddress: this.adsAddress },
      logFolder: folder.logs,
      ...(sample === undefined ? {} : { sample: await this.#withPorts(sample) }),
    });
    if (this.#stopping) throw new FairleadError("FL_INTERNAL", "the mesh is being stopped");
    this.#apps.set(app.name, app);
    for (const process of app.processes) this.#watched(process);
    await progress.step(
      sample === undefined ? `sidecar ${app.name}` : `${app.name} and its sidecar`,
      async () => await app.start(),
      () => `outbound 127.0.0.1:${app.ports.outbound}`,
    );
    return app;
  }

  /** Adds a Dubbo service that knows ZooKeeper and nothing of the mesh. Resolves when it is registered there. */
  async addOutside(name: string, sample: { readonly service: string; readonly version: string }): Promise<void> {
    const { folder, progress } = this.#options;
    const placed = await this.#withPorts(sample);
    const process = sampleProcess(name, placed, folder.logs, { SHOP_ZOOKEEPER: this.zooKeeperAddress });
    if (this.#stopping) throw new FairleadError("FL_INTERNAL", "the mesh is being stopped");
    this.#outside.push(this.#watched(process));
    await progress.step(
      `${name}, without a sidecar`,
      async () => {
        process.start();
        await untilReady(process, `http://127.0.0.1:${placed.port}/readyz`);
      },
      () => `127.0.0.1:${placed.rpcPort}, registered in ZooKeeper`,
    );
  }

  app(name: string): MeshApp {
    const app = this.#apps.get(name);
    if (app === undefined) throw new FairleadError("FL_INTERNAL", `the mesh has no ${name}`);
    return app;
  }

  /** Applications, which withdraw themselves; sidecars; the control plane; what it stands on. Nothing is left running. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const apps = [...this.#apps.values()];
    const applications = [...apps.map(({ application }) => application), ...this.#outside];
    await Promise.all(applications.map(async (application) => await application?.stop()));
    await Promise.all(apps.map(async ({ sidecar }) => await sidecar.stop()));
    await this.controlPlane.stop();
    await Promise.all([this.postgres?.stop(), this.zooKeeper?.stop()]);
  }

  async #withPorts(sample: { readonly service: string; readonly version: string }): Promise<Sample> {
    const { freePorts } = this.#options;
    return { ...sample, port: await freePorts.take(), rpcPort: await freePorts.take() };
  }

  #watched(process: ManagedProcess): ManagedProcess {
    process.onCrash((end) => {
      if (!this.#stopping) this.#options.onCrash(process, end);
    });
    return process;
  }
}
