/** `node compile-cost-process.ts <services> <endpoints> <changes>`: CPU time of the compiler's rounds, as JSON. */
import { buckets, InProcessBus, subjects } from "@fairlead/bus";
import { configCompilerConfig, createConfigCompiler } from "@fairlead/config-compiler";
import { createLogger } from "@fairlead/logging";
import { headKey } from "@fairlead/snapshot";
import { CatalogueInMemory } from "../catalogue-in-memory.ts";
import { markers } from "../marker.ts";
import { quantiles } from "../quantiles.ts";
import type { CompileCost } from "./compile-cost.ts";

const [services = 100, endpoints = 10, changes = 30] = process.argv.slice(2).map(Number);
/** Rounds before the measured ones: until V8 has optimized what they run. */
const warmUp = 30;

const bus = new InProcessBus();
const catalogue = new CatalogueInMemory({ services, endpoints });
const logger = createLogger({ service: "bench", level: "warn" });
const config = { ...configCompilerConfig.load({}), httpPort: 0, pollInterval: 3_600_000 };
const compiler = createConfigCompiler(config, {
  bus,
  store: catalogue,
  logger,
  telemetry: { serveMetrics: () => undefined },
});

let writes = 0;
let committed: () => void = () => undefined;
const bucket = await bus.keyValue(buckets.xds);
bucket.watch({
  entry: ({ key }) => {
    if (key === headKey) committed();
    else writes += 1;
  },
  snapshotComplete: () => undefined,
  restarted: () => undefined,
});

/** @returns CPU milliseconds of this process until the next commit, in the threads of V8 too */
async function round(begin: () => Promise<void>): Promise<number> {
  const commit = new Promise<void>((resolve) => {
    committed = resolve;
  });
  const before = process.cpuUsage();
  await begin();
  await commit;
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Lets what follows a commit end: the announcement and the look at the change log. */
const settle = async () => await new Promise((resolve) => setTimeout(resolve, 5));

let mark = 1;
const change = async () => {
  mark += 1;
  const revision = catalogue.publish(mark % markers, mark);
  await bus.publish({ subject: subjects.registryChanged, data: new Uint8Array(), revision });
};

const firstMs = await round(async () => await compiler.start());
await settle();
for (let index = 0; index < warmUp; index += 1) {
  await round(change);
  await settle();
}
const measured: number[] = [];
writes = 0;
for (let index = 0; index < changes; index += 1) {
  measured.push(await round(change));
  await settle();
}
const cost: CompileCost = {
  services,
  endpoints,
  firstMs,
  changeMs: quantiles(measured),
  writes: writes / changes,
};
process.stdout.write(JSON.stringify(cost));
await compiler.stop();
await bus.close();
