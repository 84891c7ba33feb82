import { cpus, loadavg } from "node:os";
import type { Contender } from "./contenders/contender.ts";
import type { CaseSamples, Pace, Sample } from "./measure-case.ts";
import type { HalfLoad } from "./measure-half-load.ts";
import { type Memory, memoryClusters, memoryEndpoints } from "./measure-memory.ts";
import { median } from "./median.ts";
import { type ProxyCase, proxyCases } from "./proxy-case.ts";

export interface ProxyBenchResults {
  readonly contenders: readonly Contender[];
  readonly pace: Pace;
  /** By case. */
  readonly measured: ReadonlyMap<string, CaseSamples>;
  readonly halfLoad: HalfLoad | undefined;
  readonly memory: ReadonlyMap<string, Memory>;
}

const own = "Fairlead";
const ms = (us: number): string => (us / 1000).toFixed(2);

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(heads), row(heads.map(() => "---")), ...rows.map(row)].join("\n");
}

/** Round by round, so that the machine's moods cancel out. Below 1 the other one is cheaper. */
function ratio(taken: readonly Sample[], ours: readonly Sample[] | undefined): number | undefined {
  if (ours === undefined || ours.length !== taken.length) return undefined;
  return median(taken.map(({ cpuUs }, round) => cpuUs / ours[round]!.cpuUs));
}

function caseTable(samples: CaseSamples): string {
  const ours = samples.get(own);
  const rows = [...samples].map(([name, taken]) => {
    const of = (pick: (sample: Sample) => number): number => median(taken.map(pick));
    return [
      name,
      of((s) => s.cpuUs).toFixed(1),
      ratio(taken, ours)?.toFixed(2) ?? "–",
      String(Math.round(of((s) => s.perSecond))),
      ms(of((s) => s.p50Us)),
      ms(of((s) => s.p99Us)),
      ms(of((s) => s.p999Us)),
      of((s) => s.residentMiB).toFixed(0),
    ];
  });
  return table(
    ["proxy", "CPU µs a request", "of Fairlead's", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "resident MiB"],
    rows,
  );
}

/** Who is cheaper than we are, and by how much: said before anybody has to look for it. */
function losses({ measured }: ProxyBenchResults): string {
  const lost = [...measured].flatMap(([id, samples]) => {
    const ours = samples.get(own);
    const cheaper = [...samples].flatMap(([name, taken]) => {
      const share = name === own ? undefined : ratio(taken, ours);
      return share === undefined || share >= 1 ? [] : [`${name} (${(1 / share).toFixed(2)})`];
    });
    return cheaper.length === 0 ? [] : [`- ${titleOf(id)}: ${cheaper.join(", ")}`];
  });
  if (lost.length === 0) return "No contender takes less CPU time a request than Fairlead in any case.";
  return `Who takes less CPU time a request than Fairlead, and how many times as much we take:\n\n${lost.join("\n")}`;
}

function titleOf(id: string): string {
  return caseOf(id).title;
}

function caseOf(id: string): ProxyCase {
  return proxyCases.find((one) => one.id === id)!;
}

function halfLoadText(halfLoad: HalfLoad): string {
  const { rate, rounds, calmRounds, stolenShare, direct, proxies } = halfLoad;
  const rows = [...proxies].map(([name, it]) => [
    name,
    it.cpuShare.toFixed(2),
    ms(it.addedP50Us),
    ms(it.addedP99Us),
    ms(it.p99Us),
  ]);
  return `### What a proxy adds at half load

${Math.round(rate)} requests a second, which take half a core of ${[...proxies.keys()][0]}, whatever the answers do; those of one millisecond are sent together, and a request's time counts from when it
was due. ${rounds} rounds of a second each, all in turns, and one without a proxy; what is added is the difference within a round. The numbers are those in the middle of the ${calmRounds} rounds in
which the hypervisor took the least time from this machine: up to ${stolenShare.toFixed(3)} cores. Where that is not next to nothing, they are its numbers and not the proxies'.

${table(["proxy", "cores taken", "p50 added, ms", "p99 added, ms", "p99 ms"], [...rows, ["none", "", "", "", ms(direct.p99Us)]])}
`;
}

function memoryText(memory: ReadonlyMap<string, Memory>): string {
  const rows = [...memory].map(([name, it]) => [name, it.startMiB.toFixed(0), it.afterLoadMiB.toFixed(0)]);
  return `### Memory

Resident memory of the whole process with ${memoryClusters} clusters of ${memoryEndpoints} endpoints besides the one that is called, in MiB.

${table(["proxy", "at rest", "after a load"], rows)}
`;
}

export function renderReport(results: ProxyBenchResults): string {
  const { contenders, pace, measured, halfLoad, memory } = results;
  const notes = contenders.flatMap(({ name, note, missing }) =>
    missing === undefined ? (note === undefined ? [] : [`${name} ${note}`]) : [`${name} could not be had: ${missing}`],
  );
  const cases = [...measured].map(([id, samples]) => {
    const { connections, outstanding } = caseOf(id);
    const load =
      outstanding === 1 ? `${connections} connections` : `${connections} connections of ${outstanding} streams`;
    return `### ${titleOf(id)}\n\n${load}.\n\n${caseTable(samples)}\n`;
  });
  return `## A proxied request

\`npm run bench:proxy\`: a closed loop over keep-alive connections; one process and one thread each unless said otherwise, all on the same backend, in turns; medians of
${pace.rounds} rounds of ${pace.requests} requests, ${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? "unknown CPU"}, Node ${process.versions.node}. Each routes by the Host, gives a
request an id and says which protocol it came by, as a mesh does, counts, and tries again what failed to connect or got a 503. Fairlead is the sidecar's own process, with what its compiler makes of a service as its last good configuration. CPU time is the system's
account of the process and its children. Load generator, backend and proxy share ${cpus().length} cores, with a load average of ${loadavg()[2]!.toFixed(1)} at the end, so requests a second and
latency say less than CPU time; ratios are round by round.
${notes.join(". ")}.

${losses(results)}

${cases.join("\n")}
${halfLoad === undefined ? "" : halfLoadText(halfLoad)}
${memory.size === 0 ? "" : memoryText(memory)}`;
}
