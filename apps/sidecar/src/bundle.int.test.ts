/** The sidecar as its image has it: a few minified files, in a folder that has nothing else. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { ScriptedAdsServer } from "@fairlead/proxy-xds-client/testing";
import { listen, until } from "@fairlead/testing-basics";
import { SteadyLoad } from "@fairlead/testing-load";
import { freePorts, RunningSidecar } from "./testing/running-sidecar.ts";
import { inboundCluster, listener, routes } from "./testing/scripted-config.ts";
import { ScriptedRegistry } from "./testing/scripted-registry.ts";

const service = "shop.Orders";
const filterType = "type.googleapis.com/example.Thread";
/** A third party's, in a package of its own. */
const filterSource = `import { threadId } from "node:worker_threads";
import { registerStreamFilter } from "@fairlead/proxy-filter";
registerStreamFilter(${JSON.stringify(filterType)}, () => () => ({
  onResponseHead(head) {
    head.headers.set("x-thread", String(threadId));
  },
}));`;

const root = mkdtempSync(join(tmpdir(), "fairlead-bundle-"));
const bundle = join(root, "sidecar");
const filter = join(bundle, "node_modules/@example/thread-filter/index.mjs");
let app: Server;
let collector: Server;
let ads: ScriptedAdsServer;
let registry: ScriptedRegistry;
let sidecar: RunningSidecar;
let appPort: number;
const collected: string[] = [];

before(() => {
  const build = join(import.meta.dirname, "../../../tools/build/bundle.ts");
  const { status, stderr } = spawnSync(process.execPath, [build, "apps/sidecar", bundle], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  mkdirSync(join(filter, ".."), { recursive: true });
  writeFileSync(filter, filterSource);
});
after(() => rmSync(root, { recursive: true }));

beforeEach(async () => {
  app = createServer((_request, response) => response.end("orders"));
  collector = createServer((request, response) => {
    collected.push(`${request.method} ${request.url}`);
    request.resume().on("end", () => response.end());
  });
  appPort = await listen(app);
  const otlpPort = await listen(collector);
  ads = new ScriptedAdsServer();
  registry = new ScriptedRegistry();
  await Promise.all([ads.start(), registry.start()]);
  const ports = await freePorts();
  const listeners = [listener("outbound", ports.outbound), listener("inbound", ports.inbound, [filterType])];
  ads.set(typeUrls.cluster, "0", [inboundCluster(appPort)]);
  ads.set(typeUrls.listener, "0", listeners);
  ads.set(typeUrls.route, "0", [routes("outbound", {}), routes("inbound", { [service]: `inbound|${appPort}` })]);
  sidecar = new RunningSidecar({
    main: join(bundle, "main.js"),
    ports,
    ads: ads.address,
    registryUrl: registry.url,
    settings: {
      FAIRLEAD_CONCURRENCY: "2",
      FAIRLEAD_FILTER_MODULES: filter,
      FAIRLEAD_OTLP_ENDPOINT: `http://127.0.0.1:${otlpPort}`,
      FAIRLEAD_HOT_RESTART_TIMEOUT: "90s",
    },
  });
  await until("the sidecar serves", () => sidecar.lines.some(({ msg }) => msg === "serving"), 60_000);
});

afterEach(async () => {
  await sidecar.stop();
  ads.stop();
  await registry.stop();
  for (const server of [app, collector]) {
    server.close();
    server.closeAllConnections();
  }
});

/** On a connection of its own. @returns what the third party's filter has said */
async function threadThatServes(): Promise<string | undefined> {
  return await new Promise((resolve, reject) => {
    const options = { port: sidecar.ports.inbound, host: "127.0.0.1", agent: false, headers: { host: service } };
    get(options, (response) => {
      response.resume().on("end", () => resolve(response.headers["x-thread"]?.toString()));
    }).on("error", reject);
  });
}

test("both workers serve with a third party's filter, before and after a hot restart, in which no request fails", async () => {
  const bothServe = async (): Promise<void> => {
    const seen = new Set<string | undefined>();
    await until("both workers serve", async () => seen.add(await threadThatServes()).size === 2);
    assert.ok(!seen.has(undefined), "the filter was at work");
  };
  await bothServe();
  await using load = new SteadyLoad({ port: sidecar.ports.inbound, host: service });
  await load.progress(100);
  const first = sidecar.pid;
  await sidecar.restart();
  await load.progress(100);
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.notEqual(sidecar.pid, first);
  await bothServe();
});

test("what is loaded when it is first used is there: spans go to a collector", async () => {
  const { err_no: error } = await sidecar.api("/pub", { service: { interface: service, port: appPort } });
  assert.equal(error, 0);
  await until("spans", () => collected.includes("POST /v1/traces"), 15_000);
});

test("its source maps lie beside it, and are not in the files that it loads", () => {
  const files = readdirSync(bundle);
  assert.ok(files.includes("main.js.map") && files.includes("worker-thread.js.map"), files.join(" "));
  for (const name of ["main.js", "worker-thread.js"]) {
    const loaded = spawnSync("tail", ["-n1", join(bundle, name)], { encoding: "utf8" }).stdout;
    assert.equal(loaded.trim(), `//# sourceMappingURL=${name}.map`);
  }
});
