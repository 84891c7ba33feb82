/**
 * `npm run bench:proxy`: CPU time of a proxied request, peers side by side on the same backend, in turns. Writes docs/benchmarks.md.
 *
 * CPU time is the system's own account of the proxy's process. On a shared machine it says more than requests a second.
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { writeSection } from "./benchmarks-page.ts";
import { closedLoop } from "./closed-loop.ts";
import { contenders, Running } from "./contender.ts";

const rounds = 5;
const warmUpRequests = 20_000;
const requests = 40_000;
const connections = 32;
const bodyBytes = 1024;

interface Sample {
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly rps: number;
  readonly rssMiB: number;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const started = await Running.start((port) => [
  process.execPath,
  join(import.meta.dirname, "backend.ts"),
  String(port),
  String(bodyBytes),
]);
const proxies = new Map<string, Running>();
const samples = new Map<string, Sample[]>();
try {
  for (const { name, command } of contenders) {
    if (command === undefined) {
      process.stdout.write(`${name}: not installed, left out\n`);
      continue;
    }
    proxies.set(name, await Running.start((port, folder) => command(port, started.port, folder)));
    await closedLoop(proxies.get(name)!.port, connections, warmUpRequests);
    samples.set(name, []);
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, proxy] of proxies) {
      const before = proxy.cpuSeconds();
      const { latenciesUs, seconds } = await closedLoop(proxy.port, connections, requests);
      const sample: Sample = {
        cpuUs: ((proxy.cpuSeconds() - before) / requests) * 1e6,
        p50Us: latenciesUs[Math.floor(requests * 0.5)]!,
        p99Us: latenciesUs[Math.floor(requests * 0.99)]!,
        rps: requests / seconds,
        rssMiB: proxy.residentMiB(),
      };
      samples.get(name)!.push(sample);
      process.stdout.write(
        `round ${round}/${rounds}  ${name}: ${sample.cpuUs.toFixed(1)} µs CPU a request, ${Math.round(sample.rps)} requests/s\n`,
      );
    }
  }
} finally {
  for (const proxy of proxies.values()) await proxy.stop();
  await started.stop();
}

const own = samples.get("Fairlead")!;
const rows = [...samples].map(([name, taken]) => {
  // Round by round, so that the machine's moods cancel out.
  const ratios = taken.map(({ cpuUs }, index) => cpuUs / own[index]!.cpuUs);
  const of = (pick: (sample: Sample) => number) => median(taken.map(pick));
  return `| ${name} | ${of((s) => s.cpuUs).toFixed(1)} | ${median(ratios).toFixed(2)} | ${Math.round(of((s) => s.rps))} | ${(of((s) => s.p50Us) / 1000).toFixed(2)} | ${(of((s) => s.p99Us) / 1000).toFixed(2)} | ${of((s) => s.rssMiB).toFixed(0)} |`;
});
const text = `## A proxied request

\`npm run bench:proxy\`: GET with a ${bodyBytes}-byte answer over ${connections} keep-alive connections in a closed loop, HTTP/1.1, plain text, one process and one thread each,
all on the same backend, in turns; medians of ${rounds} rounds of ${requests} requests. Fairlead runs what its compiler makes of a service: route table, EDS cluster,
retry policy, statistics. Load generator, backend and proxy share ${cpus().length} cores, so requests a second and latency say less than CPU time; ratios are round by round.

| proxy | CPU µs a request | of Fairlead's | requests/s | p50 ms | p99 ms | resident MiB |
|---|---|---|---|---|---|---|
${rows.join("\n")}

Below 1.00 in the third column we lose.
`;
writeSection("bench:proxy", text);
process.stdout.write(`\n${text}`);
