/**
 * `npm run soak:proxy -- --seconds 60`: a sidecar under steady load while everything about it changes: configuration, listeners, endpoints,
 * and the process itself. Ends with 1 when a request failed. A run of five minutes or more is written to docs/benchmarks.md.
 */
import { parseArgs } from "node:util";
import { writeSection } from "./benchmarks-page.ts";
import { endAtSignals } from "./control-plane/end-at-signals.ts";
import { Progress } from "./control-plane/progress.ts";
import { soak } from "./proxy-soak/soak.ts";

const helpText = `npm run soak:proxy -- [options]

  --seconds N  rounds of 100 pushes, listeners replaced, an endpoint drained and a hot restart, until they are over [60]
  --clients N  that keep their HTTP/1.1 connections; half as many with new connections, and of HTTP/2 [16]
  --pause N    ms between an answer and a client's next request: the load [1]
  --drain N    s that a replaced process may take to end [5]
  --json       prints the results as JSON
  --help
`;
const writtenFromSeconds = 300;

const string = (value: string) => ({ type: "string" as const, default: value });
const flag = { type: "boolean" as const, default: false };
const { values } = parseArgs({
  options: {
    seconds: string("60"),
    clients: string("16"),
    pause: string("1"),
    drain: string("5"),
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
const { seconds, clients, pause, drain } = values;
const result = await soak(
  { seconds: Number(seconds), clients: Number(clients), pauseMs: Number(pause), drainSeconds: Number(drain) },
  progress,
);
progress.done();

const failures = result.failures.map((failure) => `FAILED: ${failure}`);
if (result.failed === 0 && result.counted < result.requests)
  failures.push(`FAILED: the proxy has counted ${result.counted} of ${result.requests} requests`);
if (values.json) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
else {
  const lines = [
    `${result.requests} requests, ${result.failed} failed; ${result.cores.toFixed(2)} cores of the proxy, ${result.residentMiB.toFixed(0)} MiB resident with its supervisor`,
    `${result.pushes} pushes, ${result.listenersReplaced} listeners replaced, ${result.endpointsDrained} endpoints drained and stopped, ${result.restarts} hot restarts`,
  ];
  process.stdout.write(`${[...lines, ...failures].join("\n")}\n`);
  if (Number(seconds) >= writtenFromSeconds) {
    const command = `npm run soak:proxy -- --seconds ${seconds} --clients ${clients} --pause ${pause} --drain ${drain}`;
    const intro = `\`${command}\`, ${new Date().toISOString().slice(0, 10)}: clients of HTTP/1.1, kept alive and not, and of HTTP/2, that count each request that fails.`;
    const list = lines.map((line) => `- ${line}`).join("\n");
    writeSection("soak:proxy", `## The proxy over time\n\n${intro}\n\n${list}`);
  }
}
process.exitCode = failures.length === 0 && result.failed === 0 ? 0 : 1;
