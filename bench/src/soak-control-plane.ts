/**
 * `npm run soak:control-plane -- --minutes 10`: memory of the control plane under changes and proxies that misbehave. Ends with 1 when
 * it grows, when a proxy that behaves is disconnected, or when the final state differs.
 */
import { parseArgs } from "node:util";
import { endAtSignals } from "./control-plane/end-at-signals.ts";
import { Progress } from "./control-plane/progress.ts";
import { soak } from "./control-plane/soak.ts";

const helpText = `npm run soak:control-plane -- [options]

  --minutes N     [2]
  --streams N     1 % never read, 5 % refuse everything [500]
  --services N    with 10 endpoints each [200]
  --variant V     delta or sotw [delta]
  --per-second N  changes [5]
  --growth N      % that live memory may grow by from the end of the warm-up to the end of the run [5]
  --json          prints the results as JSON
  --help
`;
/** Resident memory depends on when the allocator gives pages back: it may move more. */
const residentAllowance = 2;

const string = (value: string) => ({ type: "string" as const, default: value });
const flag = { type: "boolean" as const, default: false };
const { values } = parseArgs({
  options: {
    minutes: string("2"),
    streams: string("500"),
    services: string("200"),
    variant: string("delta"),
    "per-second": string("5"),
    growth: string("5"),
    json: flag,
    help: flag,
  },
});
if (values.help) {
  process.stdout.write(helpText);
  process.exit();
}

endAtSignals();
const progress = new Progress();
const result = await soak(
  {
    minutes: Number(values.minutes),
    streams: Number(values.streams),
    services: Number(values.services),
    variant: values.variant === "sotw" ? "sotw" : "delta",
    perSecond: Number(values["per-second"]),
  },
  progress,
);
progress.done();

const allowed = Number(values.growth) / 100;
const checks = [
  { what: "gateway, live memory", trend: result.live, allowed },
  { what: "gateway, resident memory", trend: result.resident, allowed: allowed * residentAllowance },
  { what: "compiler, live memory", trend: result.compilerLive, allowed },
];
const failures = checks
  .filter(({ trend, allowed: limit }) => trend.growth > limit)
  .map(({ what, trend, allowed: limit }) => `${what} grew by ${percent(trend.growth)}; ${percent(limit)} are allowed`);
if (!result.finalStateEqual) failures.push("not all proxies that behave have the final state");
if (result.lost > 0) failures.push(`${result.lost} streams of proxies that read were ended`);

if (values.json) process.stdout.write(`${JSON.stringify({ ...result, failures }, undefined, 2)}\n`);
else {
  for (const { what, trend } of checks) {
    process.stdout.write(
      `${what}: mean ${trend.mean.toFixed(1)} MiB, ${percent(trend.growth)} over ${result.samples} samples, slope ${trend.slopePerHour.toFixed(1)} MiB/h\n`,
    );
  }
  const { changes, lag, nacks, cut, lost } = result;
  process.stdout.write(
    `${changes} changes, to the ACK p50 ${lag.p50.toFixed(0)} ms, p99 ${lag.p99.toFixed(0)} ms; ${nacks} NACKs; ${cut} connections that did not read were cut, ${lost} others\n`,
  );
  for (const failure of failures) process.stdout.write(`FAILED: ${failure}\n`);
}
process.exitCode = failures.length === 0 ? 0 : 1;

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
