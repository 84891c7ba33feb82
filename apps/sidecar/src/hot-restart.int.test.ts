import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { ScriptedAdsServer } from "@fairlead/proxy-xds-client/testing";
import { listen, until } from "@fairlead/testing-basics";
import { SteadyLoad } from "@fairlead/testing-load";
import { freePorts, RunningSidecar } from "./testing/running-sidecar.ts";
import { inboundCluster, listener, routes } from "./testing/scripted-config.ts";
import { ScriptedRegistry } from "./testing/scripted-registry.ts";

const service = "shop.Orders";

let app: Server;
let ads: ScriptedAdsServer;
let registry: ScriptedRegistry;
let sidecar: RunningSidecar;

/** A sidecar that serves, with one publication. */
async function start(readyTimeout = "90s"): Promise<void> {
  app = createServer((_request, response) => response.end("orders"));
  const appPort = await listen(app);
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
  sidecar = new RunningSidecar({
    main: join(import.meta.dirname, "main.ts"),
    ports,
    ads: ads.address,
    registryUrl: registry.url,
    settings: { FAIRLEAD_HOT_RESTART_TIMEOUT: readyTimeout },
  });
  await until("the sidecar serves", () => sidecar.lines.some(({ msg }) => msg === "serving"), 15_000);
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
  const prometheus = await sidecar.admin("/stats/prometheus");
  const recorded = /^envoy_http_downstream_rq_time_count\{envoy_http_conn_manager_prefix="inbound"\} (\d+)$/m.exec(
    prometheus,
  );
  assert.equal(Number(recorded?.[1]), load.total);
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
  await until("the crash is seen", () =>
    sidecar.lines.some(({ msg }) => String(msg).startsWith("the process that served has ended")),
  );
  // Answered by the next one, and never refused.
  await using load = new SteadyLoad({ port: sidecar.ports.inbound, host: service });
  await load.progress(50);
  await load.stop();
  assert.deepEqual(load.failures, []);
  await until("the next epoch serves", () => sidecar.lines.filter(({ msg }) => msg === "serving").length === 2, 15_000);
  await until(
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
  await until("the new process is ended", () => find() !== undefined);
  // On a busy machine it may not have come as far as that.
  assert.match(String(find()?.["waiting_for"]), /ads-gateway|its start/);
  await load.progress(100);
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.equal(await sidecar.stat("server.hot_restart_epoch"), 0);
});
