import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { HealthStatus } from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import type { XdsResource } from "@fairlead/proxy-runtime";
import { Backend } from "@fairlead/proxy-runtime/testing/backend";
import { fairShareMs } from "@fairlead/proxy-runtime/testing/fair-share";
import {
  assignmentInit,
  cluster,
  endpoints,
  listener,
  routes,
  toCluster,
} from "@fairlead/proxy-runtime/testing/resources";
import { ScriptedAdsServer } from "@fairlead/proxy-xds-client/testing";
import { until } from "@fairlead/testing-basics";
import { CpuSteering, SteadyLoad } from "@fairlead/testing-load";
import { freePorts, RunningSidecar } from "./testing/running-sidecar.ts";
import { ScriptedRegistry } from "./testing/scripted-registry.ts";

const PUSHES = 100;
/** Of one core, of all threads together. */
const SHARE = 0.5;
const LEAST_SHARE = 0.35;
const MOST_SHARE = 0.65;

/** A control plane that waits for the sidecar to take what it sends. */
class PushingAds extends ScriptedAdsServer {
  #version = 0;
  readonly #always: ReadonlyMap<string, XdsResource>;

  /** @param outboundPort of the listener without which no sidecar says that it serves */
  constructor(outboundPort: number) {
    super();
    this.#always = new Map([
      [typeUrls.listener, listener("outbound", outboundPort)],
      [typeUrls.route, routes("outbound")],
    ]);
  }

  put(typeUrl: string, ...resources: readonly XdsResource[]): string {
    const version = `v${++this.#version}`;
    const all = [...resources, ...[this.#always.get(typeUrl) ?? []].flat()];
    this.set(
      typeUrl,
      version,
      all.map(({ body }) => ({ typeUrl, value: body })),
    );
    return version;
  }

  async push(typeUrl: string, ...resources: readonly XdsResource[]): Promise<void> {
    const version = this.put(typeUrl, ...resources);
    await this.waitFor(`ACK of ${version}`, (request) => request.typeUrl === typeUrl && request.version === version);
  }
}

function draining(name: string, ports: readonly number[], leaving: number): XdsResource {
  const message = create(ClusterLoadAssignmentSchema, assignmentInit(name, ports));
  message.endpoints[0]!.lbEndpoints[ports.indexOf(leaving)]!.healthStatus = HealthStatus.DRAINING;
  return { name, body: toBinary(ClusterLoadAssignmentSchema, message) };
}

async function pushOften(ads: PushingAds, load: SteadyLoad, port: number, hosts: readonly number[]): Promise<void> {
  for (let i = 1; i <= PUSHES; i++) {
    const [last, next] = [cluster(`b${(i - 1) % 3}`), cluster(`b${i % 3}`)];
    const main = cluster("a", { maxRequestsPerConnection: 1000 + i });
    // Make before break: new clusters, what needs them; with the next push the old ones go.
    await ads.push(typeUrls.cluster, main, last, next);
    const ports = i % 2 === 0 ? hosts : hosts.toReversed();
    await ads.push(typeUrls.endpoint, ...["a", "b0", "b1", "b2"].map((name) => endpoints(name, ports)));
    await ads.push(typeUrls.listener, listener("first", port, { serverName: `v${i}` }));
    await ads.push(typeUrls.route, routes("first", toCluster("*", i % 2 === 0 ? "a" : `b${i % 3}`)));
    await load.progress(30);
  }
}

/** At its address, under another name; what is there serves until the routes of the next have come. */
async function replaceListener(ads: PushingAds, load: SteadyLoad, sidecar: RunningSidecar): Promise<void> {
  await ads.push(typeUrls.listener, listener("second", sidecar.ports.inbound));
  await load.progress(500);
  await ads.push(typeUrls.route, routes("second", toCluster("*", "a")));
  await until("the new listener serves", async () => (await sidecar.stat("http.second.downstream_rq_total")) > 500);
}

async function drainEndpoint(ads: PushingAds, load: SteadyLoad, kept: Backend, leaving: Backend): Promise<void> {
  const count = (): Promise<number> =>
    new Promise((resolve) => leaving.server.getConnections((_error, connections) => resolve(connections)));
  const both = [kept.port, leaving.port];
  await ads.push(typeUrls.endpoint, draining("a", both, leaving.port));
  await load.progress(500);
  // All threads have heard of it by then.
  const seen = leaving.requests;
  let opened = 0;
  leaving.server.on("connection", () => opened++);
  await load.progress(1000);
  assert.equal(leaving.requests, seen, "requests to an endpoint that drains");
  await ads.push(typeUrls.endpoint, endpoints("a", [kept.port]));
  await until("the connections to it are closed", async () => (await count()) === 0);
  assert.equal(opened, 0, "connections that were opened to it");
  await leaving[Symbol.asyncDispose]();
  await load.progress(1000);
}

async function serveWhileAllChanges(workers: number): Promise<void> {
  await using kept = await Backend.named("kept");
  await using leaving = await Backend.named("leaving");
  const hosts = [kept.port, leaving.port];
  const ports = await freePorts();
  const ads = new PushingAds(ports.outbound);
  const registry = new ScriptedRegistry();
  await Promise.all([ads.start(), registry.start()]);
  const port = ports.inbound;
  ads.put(typeUrls.cluster, cluster("a"), cluster("b0"));
  ads.put(typeUrls.endpoint, endpoints("a", hosts), endpoints("b0", hosts));
  ads.put(typeUrls.listener, listener("first", port));
  ads.put(typeUrls.route, routes("first", toCluster("*", "a")));
  const settings = { FAIRLEAD_CONCURRENCY: String(workers), FAIRLEAD_HOT_RESTART_TIMEOUT: "90s" };
  const main = join(import.meta.dirname, "main.ts");
  const sidecar = new RunningSidecar({ main, ports, ads: ads.address, registryUrl: registry.url, settings });
  try {
    await until("the sidecar serves", () => sidecar.lines.some(({ msg }) => msg === "serving"), 60_000);
    await using load = new SteadyLoad({ port, host: "x", keepAlive: 40, newConnections: 4, http2: 4, pauseMs: 10 });
    using steering = new CpuSteering(load, { pid: () => sidecar.pid, share: SHARE });
    await load.progress(3000);
    steering.reset();
    await pushOften(ads, load, port, hosts);
    await ads.push(typeUrls.route, routes("first", toCluster("*", "a")));
    await replaceListener(ads, load, sidecar);
    await sidecar.restart();
    await load.progress(1000);
    await drainEndpoint(ads, load, kept, leaving);
    await load.stop();
    assert.deepEqual(load.failures, []);
    const { average } = steering;
    // Others may leave it less than half a core.
    assert(average > LEAST_SHARE / fairShareMs(1) && average < MOST_SHARE, `${average.toFixed(2)} of a core`);
    for (const [kind, count] of Object.entries(load.done)) assert(count > 500, `${kind}: ${count} requests`);
    assert.deepEqual(
      ads.requests.flatMap(({ nack }) => nack ?? []),
      [],
    );
    assert.equal(await sidecar.stat("server.hot_restart_epoch"), 1);
    assert.equal(await sidecar.stat("server.concurrency"), workers);
  } finally {
    await sidecar.stop();
    ads.stop();
    await registry.stop();
  }
}

for (const [workers, threads] of ["one thread", "two threads"].entries())
  test(`half a core in ${threads}: ${PUSHES} pushes, a listener replaced, a hot restart, an endpoint drained; no request fails`, async () => {
    await serveWhileAllChanges(workers + 1);
  });
