/**
 * `npm run bench:rpc`: what a Dubbo or bolt call costs a sidecar, by what is compiled for it: routes, EDS cluster, retry policy,
 * statistics. Writes docs/benchmarks.md. `--help` tells the options.
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { flag, oneOf, readCommandLine } from "@fairlead/lifecycle";
import { writeSection } from "./benchmarks-page.ts";
import { Running } from "./running.ts";
import { benchProtocols, frameBytes } from "./rpc/frames.ts";
import { rpcLoop } from "./rpc/rpc-loop.ts";

const { quick, only } = readCommandLine({
  usage: "npm run bench:rpc -- [options]\nThe page is docs/benchmarks.md.",
  options: {
    quick: flag("one short round, and no page"),
    only: oneOf(["bridge"], "something else instead, how soon a bridged registry of 1,000 services is in the mesh"),
  },
}).options;
if (only === "bridge") {
  await import("./bridge.ts");
  process.exit();
}
const rounds = quick ? 1 : 3;
const connections = 8;
const outstanding = 64;
const calls = quick ? 60_000 : 150_000;
const here = import.meta.dirname;

interface Sample {
  readonly perCpuSecond: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const rows: string[] = [];
for (const [name, protocol] of Object.entries(benchProtocols)) {
  const echo = await Running.start((port) => [process.execPath, join(here, "rpc/echo.ts"), String(port), name]);
  const proxy = await Running.start((port) => [
    process.execPath,
    join(here, "proxies/fairlead-rpc.ts"),
    String(port),
    String(echo.port),
    name,
  ]);
  try {
    for (const [what, target] of [
      ["without a proxy", echo],
      ["through Fairlead", proxy],
    ] as const) {
      await rpcLoop(protocol, target.port, { connections, outstanding, calls: calls / 2 });
      const samples: Sample[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const before = proxy.cpuSeconds();
        const { seconds, latenciesUs } = await rpcLoop(protocol, target.port, { connections, outstanding, calls });
        const cpu = proxy.cpuSeconds() - before;
        const at = (share: number) => latenciesUs[Math.floor(calls * share)]! / 1000;
        samples.push({ perCpuSecond: calls / cpu, perSecond: calls / seconds, p50: at(0.5), p99: at(0.99) });
      }
      const of = (pick: (sample: Sample) => number) => median(samples.map(pick));
      const cost = target === proxy ? String(Math.round(of((sample) => sample.perCpuSecond))) : "–";
      const row = `| ${name} | ${what} | ${cost} | ${Math.round(of((s) => s.perSecond))} | ${of((s) => s.p50).toFixed(2)} | ${of((s) => s.p99).toFixed(2)} |`;
      process.stdout.write(`${row}\n`);
      rows.push(row);
    }
  } finally {
    await proxy.stop();
    await echo.stop();
  }
}
const text = `## A proxied RPC call

\`npm run bench:rpc\`: calls of ${frameBytes} bytes with answers as long, over ${connections} connections with ${outstanding} calls outstanding on each; one process and one thread
of the proxy, which routes by what the compiler makes of a service: virtual host, EDS cluster, retry policy, statistics. Medians of ${rounds} rounds of ${calls} calls. Load
generator, echo server and proxy share ${cpus().length} cores, so calls a second and latency say less than CPU time, which is the system's account of the proxy's process.

| protocol | | calls a CPU second of the proxy | calls/s | p50 ms | p99 ms |
|---|---|---|---|---|---|
${rows.join("\n")}
`;
if (!quick) {
  writeSection("bench:rpc", text);
  process.stdout.write(`\n${text}`);
}
