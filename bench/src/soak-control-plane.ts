/**
 * `npm run soak:control-plane -- --minutes 10`: memory of the control plane under changes and proxies that misbehave. Ends with 1 when
 * it grows, when a proxy that behaves is disconnected, or when the final state differs. A run of ten minutes or more is written to
 * docs/benchmarks.md.
 */
import { flag, oneOf, readCommandLine, wholeNumber } from "@fairlead/lifecycle";
import { writeSection } from "./benchmarks-page.ts";
import { endAtSignals } from "./control-plane/end-at-signals.ts";
import { Progress } from "./control-plane/progress.ts";
import { soak } from "./control-plane/soak.ts";

/** Resident memory depends on when the allocator gives pages back: it may move more. */
const residentAllowance = 2;
const writtenFromMinutes = 10;

const { minutes, streams, services, variant, growth, json, ...asked } = readCommandLine({
  usage: "npm run soak:control-plane -- [options]",
  options: {
    minutes: wholeNumber(3, "of which the first is for warming up"),
    streams: wholeNumber(500, "1 % never read, 5 % refuse everything"),
    services: wholeNumber(200, "with 10 endpoints each"),
    variant: oneOf(["delta", "sotw"], "of xDS", "delta"),
    "per-second": wholeNumber(5, "changes"),
    growth: wholeNumber(5, "% that live memory may grow by from the end of the warm-up to the end of the run"),
    json: flag("prints the results as JSON"),
  },
}).options;
const perSecond = asked["per-second"];

endAtSignals();
const progress = new Progress();
const result = await soak({ minutes, streams, services, variant, perSecond }, progress);
progress.done();

const allowed = growth / 100;
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

if (json) process.stdout.write(`${JSON.stringify({ ...result, failures }, undefined, 2)}\n`);
else {
  const { changes, lastAck, worstMs, nacks, cut, lost } = result;
  const lines = checks.map(
    ({ what, trend }) =>
      `${what}: mean ${trend.mean.toFixed(1)} MiB, ${percent(trend.growth)} from the first of ${result.samples} samples to the last by the line that fits best`,
  );
  lines.push(
    `${changes} changes, to the last ACK of proxies that behave ${lastAck.mean.toFixed(0)} ms, ${worstMs.toFixed(0)} ms at most`,
    `${nacks} NACKs; ${cut} connections that did not read were cut, ${lost} of others`,
    ...failures.map((failure) => `FAILED: ${failure}`),
  );
  process.stdout.write(`${lines.join("\n")}\n`);
  if (minutes >= writtenFromMinutes) {
    const command = `npm run soak:control-plane -- --minutes ${minutes} --streams ${streams} --services ${services} --variant ${variant} --per-second ${perSecond}`;
    const intro = `\`${command}\`, ${new Date().toISOString().slice(0, 10)}: of the proxies 1 % never read and 5 % refuse every response.\nMemory after full garbage collections, without the warm-up.`;
    const list = lines.map((line) => `- ${line}`).join("\n");
    writeSection("soak:control-plane", `## The control plane over time\n\n${intro}\n\n${list}`);
  }
}
process.exitCode = failures.length === 0 ? 0 : 1;

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
