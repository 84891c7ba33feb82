import type { Misbehaving } from "./measure/misbehaving.ts";
import type { CompileCost } from "./measure/compile-cost.ts";
import type { SingleChanges } from "./measure/single-changes.ts";
import type { StreamsResult } from "./measure/streams.ts";
import type { Quantiles } from "./quantiles.ts";
import type { Results } from "./results.ts";

type Row = readonly [what: string, of: (result: StreamsResult) => string];

const whole = (value: number) => Math.round(value).toLocaleString("en-US");
const short = (value: number) => (Math.abs(value) < 10 ? value.toFixed(1) : whole(value));
const seconds = (ms: number) => (ms / 1000).toFixed(2);
const spread = ({ p50, p99, max }: Quantiles) => [p50, p99, max].map(short).join(" / ");
const kiB = (bytes: number) => short(bytes / 1024);

const rows: readonly Row[] = [
  ["cold start to the last ACK, s", ({ coldStart }) => seconds(coldStart.max)],
  ["– sent, MiB", ({ coldStartSentMiB }) => short(coldStartSentMiB)],
  ["– CPU of the gateway, s", ({ coldStartGatewayCpuSeconds }) => short(coldStartGatewayCpuSeconds)],
  ["one change, from POST /pub to the last ACK, ms", ({ single }) => spread(single.fromRequest)],
  ["– of it from the commit on the bus", ({ single }) => spread(single.fromCommit)],
  ["– CPU of the gateway a push, µs", ({ single }) => short((single.gatewayCpuSeconds * 1e6) / single.pushes)],
  ["– allocated a push, KiB", ({ single }) => kiB(single.allocatedBytes / single.pushes)],
  ["– sent a push, bytes", ({ single }) => whole(single.sentBytes / single.pushes)],
  ["– CPU of the compiler a change, ms", ({ single }) => short((single.compilerCpuSeconds * 1000) / single.changes)],
  ["10 changes a second: lag, ms", ({ steady }) => (steady === undefined ? "–" : spread(steady.lag))],
  [
    "– changes, commits, pushes to a proxy",
    ({ steady }) =>
      steady === undefined ? "–" : [steady.changes, steady.commits, steady.pushesPerProxy].map(whole).join(", "),
  ],
  [
    "– from the last change to the final state at all, ms",
    ({ steady }) => (steady === undefined ? "–" : short(steady.settledMs)),
  ],
  ["– final state equal at all", ({ steady }) => (steady === undefined ? "–" : steady.finalStateEqual ? "yes" : "NO")],
  [
    "– cores: gateway, compiler",
    ({ steady }) =>
      steady === undefined ? "–" : `${steady.gatewayCores.toFixed(2)}, ${steady.compilerCores.toFixed(2)}`,
  ],
  [
    "gateway killed: its start to the last ACK, s",
    ({ reconnects }) => (reconnects === undefined ? "–" : seconds(reconnects.allAckedMs)),
  ],
  ["– of it until it was ready, s", ({ reconnects }) => (reconnects === undefined ? "–" : seconds(reconnects.readyMs))],
  ["memory a stream: live, KiB", ({ memory }) => short(memory.liveKiB)],
  ["– resident, KiB", ({ memory }) => short(memory.residentKiB)],
];

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function streamsTable(results: readonly StreamsResult[]): string {
  const head = ["streams", ...results.map(({ streams }) => whole(streams))];
  return table(
    head,
    rows.map(([what, of]) => [what, ...results.map(of)]),
  );
}

/** Of one change: what the gateway does for it with a push of what changed, and with a push of everything. */
function fullPushTable(results: readonly StreamsResult[], full: readonly StreamsResult[]): string {
  const perChange = (of: (single: SingleChanges) => number) => (result: StreamsResult) =>
    of(result.single) / result.single.changes;
  const lines = full.flatMap((all) => {
    const { streams } = all;
    const own = results.find((result) => result.streams === streams);
    if (own === undefined) return [];
    const line = (what: string, of: (result: StreamsResult) => number, show = short) => [
      whole(streams),
      what,
      show(of(all)),
      show(of(own)),
      `${short(of(all) / of(own))} ×`,
    ];
    return [
      line("a change, from the commit to the last ACK, p50, ms", ({ single }) => single.fromCommit.p50),
      line(
        "– CPU of the gateway, ms",
        perChange(({ gatewayCpuSeconds }) => gatewayCpuSeconds * 1000),
      ),
      line(
        "– allocated, MiB",
        perChange(({ allocatedBytes }) => allocatedBytes / 2 ** 20),
      ),
      line(
        "– sent, MiB",
        perChange(({ sentBytes }) => sentBytes / 2 ** 20),
        (value) => value.toFixed(2),
      ),
      line("live memory a stream, KiB", ({ memory }) => memory.liveKiB),
    ];
  });
  return table(["streams", "", "full push", "Fairlead", "gain"], lines);
}

function compileTable(costs: readonly CompileCost[]): string {
  return table(
    ["services", "CPU of the first compile, ms", "CPU of one change, p50 / p99 / max, ms", "entries written"],
    costs.map(({ services, firstMs, changeMs, writes }) => [
      whole(services),
      whole(firstMs),
      spread(changeMs),
      short(writes),
    ]),
  );
}

function compileRatio(costs: readonly CompileCost[]): string {
  const [first, last] = [costs[0], costs.at(-1)];
  if (first === undefined || last === undefined || first === last) return "";
  const ratio = last.changeMs.p50 / first.changeMs.p50;
  return `\n\nOne change at ${whole(last.services)} services takes ${ratio.toFixed(2)} times the CPU time of one at ${whole(first.services)}.`;
}

function misbehavingText({ good, silent, refusing, withoutMs, withMs, ratio, cpuRatio, blocks }: Misbehaving): string {
  return `${whole(good)} proxies that behave, in ${blocks} blocks without and ${blocks} with ${silent} further ones that never read and ${refusing} that refuse
each response: from POST /pub to the last ACK of those that behave ${short(withoutMs)} ms without, ${short(withMs)} ms with them; ratio block by block ${ratio.toFixed(2)},
of the gateway's CPU time ${cpuRatio.toFixed(2)}.`;
}

/** The part of docs/benchmarks.md that is about the control plane. */
export function report(results: Results): string {
  const { date, machine, command, loadAverage, options, streams, fullPush, misbehaving, compile } = results;
  const { services, endpoints, variant, connections } = options;
  return `## The control plane

\`${command}\`, ${date}; ${machine}.

${whole(services)} services × ${endpoints} endpoints in PostgreSQL; registry-sync, config-compiler and one ads-gateway as processes of their own with default settings on a real
nats-server; all proxies in one load process, ${connections === 0 ? "a TCP connection each" : `on ${connections} TCP connections`}, ${variant === "delta" ? "delta xDS" : "state of the world"}. Each proxy sees the whole mesh (wildcard clusters and listeners, the endpoints
of all clusters, its routes): the worst case, one change concerns every proxy. A change is the weight of one endpoint, by POST /pub. Last ACK: the last proxy has
written its ACK. Everything, the load too, shares ${machine.split(",")[0]}, with a load average of ${loadAverage.toFixed(1)}: CPU time and ratios say more than milliseconds. Three numbers are p50 / p99 / max.

${streamsTable(streams)}

The commit on the bus is seen by a watch of the bench on the same bucket that the gateway watches. A push is a response to one proxy, CPU time is the system's account of
the process. Allocated: V8's count of bytes on the JavaScript heap. Memory is the difference between all streams open and none, each after a full garbage collection;
live: JavaScript heap and what it holds outside, resident: what the system counts. After the kill one endpoint changes before the new gateway starts, so that each
proxy has something to ACK.
${fullPush.length === 0 ? "" : `\n### Against a full push\n\nThe same bucket, transport and load, with a gateway of the bench that sends everything to everybody at each change. It is as good as that can be: the bytes of a change are\nmade once for all streams, it keeps no state of what proxies hold, and it skips who is behind. Its memory is that of gRPC and the connection alone.\n\n${fullPushTable(streams, fullPush)}\n`}${
    compile.length === 0
      ? ""
      : `\n### One change, by size of the mesh\n\nThe whole round of config-compiler (read the change, compile, write the bucket, announce) in a process of its own on a catalogue and a bus in memory.\n\n${compileTable(compile)}${compileRatio(compile)}\n`
  }${misbehaving === undefined ? "" : `\n### Proxies that misbehave\n\n${misbehavingText(misbehaving)}\n`}`;
}
