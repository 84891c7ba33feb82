import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { typeUrls } from "@fairlead/envoy-api";
import { ScriptedAdsServer } from "@fairlead/proxy-xds-client/testing";
import { SteadyLoad } from "@fairlead/testing-load";
import { inboundCluster, listener, routes } from "./testing/scripted-config.ts";
import { ScriptedRegistry } from "./testing/scripted-registry.ts";

const service = "shop.Orders";
const nodeId = "sidecar~127.0.0.1~orders~fairlead";

/** A sidecar as it is run: the supervisor, and the processes that serve. */
class RunningSidecar {
  readonly ports: { readonly api: number; readonly admin: number; readonly outbound: number; readonly inbound: number };
  readonly lines: Record<string, unknown>[] = [];
  readonly #process: ChildProcess;
  readonly #exited: Promise<number | null>;

  constructor(ports: RunningSidecar["ports"], ads: string, registryUrl: string, readyTimeout: string) {
    this.ports = ports;
    this.#process = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        FAIRLEAD_HOT_RESTART: "true",
        FAIRLEAD_HOT_RESTART_TIMEOUT: readyTimeout,
        FAIRLEAD_APP: "orders",
        FAIRLEAD_NODE_ID: nodeId,
        FAIRLEAD_API_PORT: String(ports.api),
        FAIRLEAD_ADMIN_PORT: String(ports.admin),
        FAIRLEAD_OUTBOUND_PORT: String(ports.outbound),
        FAIRLEAD_OUTBOUND_RPC_PORT: "0",
        FAIRLEAD_INBOUND_PORT: String(ports.inbound),
        FAIRLEAD_REGISTRY_URL: registryUrl,
        FAIRLEAD_ADS_ADDRESS: ads,
        FAIRLEAD_ADS_VARIANT: "sotw",
        FAIRLEAD_DRAIN_TIMEOUT: "2s",
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
    await eventually("a restart", () => this.#count("the process that was replaced has ended") > ended);
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

async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 15_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await pause(10);
  }
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

async function freePorts(): Promise<RunningSidecar["ports"]> {
  const servers = [createServer(), createServer(), createServer(), createServer()];
  const [api = 0, admin = 0, outbound = 0, inbound = 0] = await Promise.all(servers.map(portOf));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return { api, admin, outbound, inbound };
}

let app: Server;
let ads: ScriptedAdsServer;
let registry: ScriptedRegistry;
let sidecar: RunningSidecar;

/** A sidecar that serves, with one publication. */
async function start(readyTimeout = "90s"): Promise<void> {
  app = createServer((_request, response) => response.end("orders"));
  const appPort = await portOf(app);
  ads = new ScriptedAdsServer();
  registry = new ScriptedRegistry();
  await Promise.all([ads.start(), registry.start()]);
  const ports = await freePorts();
  ads.set(typeUrls.cluster, "0", [inboundCluster(appPort)]);
  ads.set(typeUrls.listener, "0", [listener("outbound", ports.outbound), listener("inbound", ports.inbound)]);
  ads.set(typeUrls.route, "0", [routes("outbound", {}), routes("inbound", { [service]: `inbound|${appPort}` })]);
  // What the registry has of the node.
  registry.reply = ({ method, path }) =>
    method === "GET" && path.startsWith("/v1/instances?") && registry.log().some((line) => line.includes("/pub"))
      ? { status: 200, body: { instances: [{ interface: service, port: appPort, protocol: "http", state: "ready" }] } }
      : undefined;
  sidecar = new RunningSidecar(ports, ads.address, registry.url, readyTimeout);
  await eventually("the sidecar serves", () => sidecar.lines.some(({ msg }) => msg === "serving"));
  assert.equal((await sidecar.api("/pub", { service: { interface: service, port: appPort } })).err_no, 0);
}

afterEach(async () => {
  await sidecar.stop();
  ads.stop();
  await registry.stop();
  app.close();
  app.closeAllConnections();
});

test("a restart under load: no request fails, counters go on, and what is registered stays", async () => {
  await start();
  await using load = new SteadyLoad({ port: sidecar.ports.inbound, host: service });
  await load.progress(200);
  const first = sidecar.pid;
  await sidecar.restart();
  await load.progress(100);
  await load.stop();
  assert.deepEqual(load.failures, []);
  for (const [kind, count] of Object.entries(load.done)) assert(count > 20, `${kind}: ${count} requests`);
  assert.notEqual(sidecar.pid, first);
  assert.equal(await sidecar.stat("server.hot_restart_epoch"), 1);
  assert.equal(await sidecar.stat("server.live"), 1);
  assert.equal(await sidecar.stat("server.parent_connections"), 0);
  assert.equal(await sidecar.stat("http.inbound.downstream_rq_total"), load.total);
  const info = JSON.parse(await sidecar.admin("/server_info")) as Record<string, unknown>;
  assert.deepEqual([info["hot_restart_version"], info["command_line_options"]], ["1", { restart_epoch: 1 }]);
  assert.equal((await sidecar.api("/v1/registrations")).publications?.[0]?.state, "ready");
  assert.deepEqual(
    registry.log().filter((line) => line.startsWith("DELETE") || line.includes("/unpub") || line.includes("draining")),
    [],
  );
  // A stop takes the node out of the mesh, as without restarts.
  assert.equal(await sidecar.stop(), 0);
  assert(registry.log().some((line) => line.startsWith("DELETE /v1/nodes/")));
});

test("a crash: callers wait in the sockets' queues for the next process; the local API comes back on its port", async () => {
  await start();
  process.kill(sidecar.pid, "SIGKILL");
  await eventually("the crash is seen", () =>
    sidecar.lines.some(({ msg }) => String(msg).startsWith("the process that served has ended")),
  );
  // Answered by the next one, and never refused.
  await using load = new SteadyLoad({ port: sidecar.ports.inbound, host: service });
  await load.progress(50);
  await load.stop();
  assert.deepEqual(load.failures, []);
  await eventually("the next epoch serves", () => sidecar.lines.filter(({ msg }) => msg === "serving").length === 2);
  await eventually(
    "it has adopted",
    async () => (await sidecar.api("/v1/registrations")).publications?.[0]?.state === "ready",
  );
  assert.equal(await sidecar.stat("server.hot_restart_epoch"), 1);
});

test("without a control plane the new process is not ready: it is ended in time, and the one before it serves on", async () => {
  await start("8s");
  await using load = new SteadyLoad({ port: sidecar.ports.inbound, host: service });
  ads.stop();
  process.kill(Number(sidecar.supervisorPid), "SIGHUP");
  const find = () => sidecar.lines.find(({ msg }) => String(msg).startsWith("the new process is not ready in time"));
  await eventually("the new process is ended", () => find() !== undefined);
  // On a busy machine it may not have come as far as that.
  assert.match(String(find()?.["waiting_for"]), /ads-gateway|its start/);
  await load.progress(100);
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.equal(await sidecar.stat("server.hot_restart_epoch"), 0);
});
