import { cpus, loadavg } from "node:os";
import { Changes } from "./changes.ts";
import { CommitWatch } from "./commit-watch.ts";
import { ControlPlane } from "./control-plane.ts";
import { LoadClient } from "./load-client.ts";
import { type CompileCost, measureCompileCost } from "./measure/compile-cost.ts";
import { measureMisbehaving, type Misbehaving } from "./measure/misbehaving.ts";
import { measureStreams, type StreamsResult } from "./measure/streams.ts";
import type { BenchOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import type { Results } from "./results.ts";

const silentShare = 0.01;
const refusingShare = 0.05;
const changesPerSecond = 10;
/** A push of everything to thousands takes so long that fewer changes have to do. */
const fullPushBudgetMs = 30_000;

type Run = Parameters<typeof measureStreams>[0];

/** The whole benchmark, one measurement after the other. */
export async function bench(options: BenchOptions, args: readonly string[], progress: Progress): Promise<Results> {
  const compile: CompileCost[] = [];
  for (const services of options.compileSizes) {
    progress.step(`compile of ${services} services`);
    compile.push(await measureCompileCost(services, options.endpoints, options.changes));
  }
  progress.step(`a mesh of ${options.services} services × ${options.endpoints} endpoints`);
  const { services, endpoints } = options;
  await using controlPlane = await ControlPlane.start({ services, endpoints });
  await using commits = await CommitWatch.start(controlPlane.natsUrl);
  const detail = (what: string) => progress.detail(what);
  const run: Run = { controlPlane, commits, changes: new Changes(controlPlane), progress: detail };
  const streams = await eachSize(run, options, progress);
  const fullPush = await eachSizeByFullPush(run, options, progress);
  const misbehaving = await besideMisbehaving(run, options, progress);
  const [cpu] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores, ${cpu?.model.trim() ?? "unknown"}, Node ${process.versions.node}`,
    command: ["npm run bench:control-plane", ...(args.length === 0 ? [] : ["--", ...args])].join(" "),
    loadAverage: loadavg()[2] ?? 0,
    options,
    streams,
    fullPush,
    misbehaving,
    compile,
  };
}

async function eachSize(run: Run, options: BenchOptions, progress: Progress): Promise<StreamsResult[]> {
  const { variant, connections, changes, seconds, profile } = options;
  const results: StreamsResult[] = [];
  for (const streams of options.streams) {
    progress.step(`${streams} streams`);
    await run.controlPlane.renewGateway("fairlead");
    const steady = { perSecond: changesPerSecond, seconds };
    results.push(await measureStreams(run, { streams, variant, connections, changes, steady, profile }));
  }
  return results;
}

async function eachSizeByFullPush(run: Run, options: BenchOptions, progress: Progress): Promise<StreamsResult[]> {
  const { variant, connections, changes } = options;
  const results: StreamsResult[] = [];
  for (const streams of options.streams.filter((size) => options.fullPushStreams.includes(size))) {
    progress.step(`${streams} streams, full push`);
    await run.controlPlane.renewGateway("fullPush");
    const size = { streams, variant, connections, changes, steady: undefined, profile: false };
    results.push(await measureStreams(run, { ...size, changesBudgetMs: fullPushBudgetMs }));
  }
  return results;
}

async function besideMisbehaving(
  run: Run,
  { misbehavingStreams: good, variant, connections, changes, quick }: BenchOptions,
  progress: Progress,
): Promise<Misbehaving | undefined> {
  if (good === 0) return undefined;
  progress.step(`${good} streams, and others that misbehave`);
  const { controlPlane } = run;
  await controlPlane.renewGateway("fairlead");
  await using load = LoadClient.start();
  try {
    const size = { port: controlPlane.grpcPort, variant, streams: good, connections, silentShare: 0, refusingShare: 0 };
    await load.ask("open", { ...size, deadlineMs: 120_000 });
    run.changes.follow(load);
    return await measureMisbehaving(
      { ...run, load },
      {
        good,
        silent: Math.ceil(good * silentShare),
        refusing: Math.ceil(good * refusingShare),
        variant,
        blocks: quick ? 1 : 6,
        changesPerBlock: Math.ceil(changes / 5),
      },
    );
  } finally {
    run.changes.follow();
  }
}
