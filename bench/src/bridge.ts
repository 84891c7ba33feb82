/**
 * `npm run bench:rpc -- --only bridge`: how soon the providers of a ZooKeeper are endpoints of proxies, once a bridge begins, and how soon a
 * change is. All of it real: ZooKeeper, PostgreSQL, nats-server, registry-sync, config-compiler and ads-gateway, each a process; seen by an xDS
 * client. Writes docs/benchmarks.md; `--quick` writes nothing.
 */
import { cpus, loadavg } from "node:os";
import { RegistryPaths } from "@fairlead/dubbo-registry";
import { createLogger } from "@fairlead/logging";
import { freePort } from "@fairlead/testing-basics";
import { startTestNats, startTestPostgres, startTestZooKeeper } from "@fairlead/testing-servers";
import { ZooKeeperClient } from "@fairlead/zookeeper";
import { writeSection } from "./benchmarks-page.ts";
import { EndpointWatch } from "./bridge/endpoint-watch.ts";
import { ServiceProcess } from "./bridge/service-process.ts";

const quick = process.argv.includes("--quick");
const services = 1_000;
const providersEach = 10;
const rounds = quick ? 1 : 3;
const changes = 20;
const paths = new RegistryPaths();
const logger = createLogger({ service: "bench", level: "silent" });
const names = Array.from({ length: services }, (_, i) => `org.apache.dubbo.samples.bench.api.Service${i}`);
const clusterOf = (name: string) => `outbound|dubbo||${name}`;
const urlOf = (name: string, index: number) =>
  `dubbo://10.${index >> 8}.${index & 255}.5:20880/${name}?anyhost=true&application=bench-${index}&deprecated=false&dubbo=2.0.2&dynamic=true&generic=false&interface=${name}&methods=sayHi,sayBye&pid=1&prefer.serialization=hessian2,fastjson2&release=3.3.0&revision=1.0.0&service-name-mapping=true&side=provider&timeout=3000&timestamp=1700000000000&version=1.0.0`;
const pathOf = (name: string, index: number) => paths.node(name, "providers", urlOf(name, index));

interface Round {
  readonly allMs: number;
  readonly changeMs: readonly number[];
}

async function connect(servers: string): Promise<ZooKeeperClient> {
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const client = new ZooKeeperClient(
    { servers, logger },
    { onConnected: () => resolve(), onSuspended: () => undefined, onChange: () => undefined },
  );
  client.start();
  await connected;
  return client;
}

async function register(application: ZooKeeperClient): Promise<void> {
  const nothing = Buffer.alloc(0);
  await Promise.all(
    names.map(async (name) => {
      await application.ensure(paths.folder(name, "providers"));
      const each = Array.from({ length: providersEach }, (_, index) => pathOf(name, index));
      await Promise.all(each.map((path) => application.create(path, nothing, { ephemeral: true })));
    }),
  );
}

/** From the word of a registry to the endpoints of a proxy, one provider more at a time. */
async function measureChanges(application: ZooKeeperClient, watch: EndpointWatch): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < changes; i++) {
    const name = names[(i * 37) % services]!;
    const seen = watch.cluster(clusterOf(name), providersEach + 1);
    const since = Date.now();
    await application.create(pathOf(name, providersEach + i), Buffer.alloc(0), { ephemeral: true });
    found.push((await seen) - since);
  }
  return found;
}

async function round(): Promise<Round> {
  const [zookeeper, postgres, nats] = await Promise.all([startTestZooKeeper(), startTestPostgres(), startTestNats()]);
  const application = await connect(zookeeper.address);
  const processes: ServiceProcess[] = [];
  const start = async (app: string, environment: Readonly<Record<string, string>>) => {
    const shared = { FAIRLEAD_NATS_URL: nats.url, FAIRLEAD_DATABASE_URL: postgres.url };
    const port = await freePort();
    const process = new ServiceProcess(app, port, { ...shared, ...environment });
    processes.push(process);
    return process;
  };
  let watch: EndpointWatch | undefined;
  try {
    await register(application);
    const grpcPort = await freePort();
    // A registry-sync makes the tables; the one that is measured comes after it.
    await (await start("registry-sync", {})).saidAt("registry-sync listens");
    const [compiler, gateway] = [await start("config-compiler", {}), await start("ads-gateway", { FAIRLEAD_GRPC_PORT: String(grpcPort) })]; // prettier-ignore
    await Promise.all([compiler.saidAt('"active"'), gateway.saidAt("listens")]);
    await gateway.ready();
    watch = new EndpointWatch(`127.0.0.1:${grpcPort}`, names.map(clusterOf));
    const all = watch.clusters(services, providersEach);
    const bridge = await start("registry-sync", { FAIRLEAD_BRIDGES: `main=zookeeper://${zookeeper.address}` });
    const began = await bridge.saidAt("this process mirrors a registry");
    const allMs = (await all) - began;
    return { allMs, changeMs: await measureChanges(application, watch) };
  } finally {
    watch?.stop();
    await Promise.all(processes.map((process) => process.stop()));
    await application.close();
    await Promise.all([zookeeper.stop(), postgres.stop(), nats.stop()]);
  }
}

const loadBefore = loadavg()[0]!.toFixed(1);
const results: Round[] = [];
for (let i = 0; i < rounds; i++) {
  const result = await round();
  results.push(result);
  process.stdout.write(
    `all: ${result.allMs} ms; a change: ${result.changeMs.toSorted((a, b) => a - b).join(" ")} ms\n`,
  );
}
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const ofChanges = results.flatMap(({ changeMs }) => changeMs);
const text = `## A bridged ZooKeeper

\`npm run bench:rpc -- --only bridge\`: ${services} services with ${providersEach} providers each, registered in a ZooKeeper as Dubbo 3.3 does, become endpoints of a proxy: the time from the bridge's
start (its process has taken the registry; it has not connected yet) until an xDS client has all ${services * providersEach} from an ads-gateway. Then one provider more is registered, ${changes} times: from the
write into ZooKeeper to the client. ZooKeeper, PostgreSQL, nats-server, registry-sync, config-compiler and ads-gateway are processes of one machine with ${cpus().length} cores, whose load by others
was ${loadBefore} when it began. ${rounds} rounds.

| | median | worst | goal |
|---|---|---|---|
| all providers are there | ${median(results.map(({ allMs }) => allMs))} ms | ${Math.max(...results.map(({ allMs }) => allMs))} ms | 2000 ms |
| one change is there | ${median(ofChanges)} ms | ${Math.max(...ofChanges)} ms | 300 ms |
`;
process.stdout.write(`\n${text}`);
if (!quick) writeSection("bench:rpc -- --only bridge", text);
