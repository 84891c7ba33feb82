/**
 * `npm run soak:proxy -- --seconds 60`: a sidecar under steady load while everything about it changes: configuration, listeners, endpoints,
 * and the process itself. Ends with 1 when a request failed. A run of five minutes or more is written to docs/benchmarks.md.
 */
import { flag, readCommandLine, wholeNumber } from "@fairlead/lifecycle";
import { writeSection } from "./benchmarks-page.ts";
import { endAtSignals } from "./control-plane/end-at-signals.ts";
import { Progress } from "./control-plane/progress.ts";
import { soak } from "./proxy-soak/soak.ts";

const writtenFromSeconds = 300;

const { seconds, clients, pause, drain, json } = readCommandLine({
  usage: "npm run soak:proxy -- [options]",
  options: {
    seconds: wholeNumber(
      60,
      "rounds of 100 pushes, listeners replaced, an endpoint drained and a hot restart, until they are over",
    ),
    clients: wholeNumber(16, "that keep their HTTP/1.1 connections; half as many with new connections, and of HTTP/2"),
    pause: wholeNumber(1, "ms between an answer and a client's next request: the load"),
    drain: wholeNumber(5, "s that a replaced process may take to end"),
    json: flag("prints the results as JSON"),
  },
}).options;

endAtSignals();
const progress = new Progress();
const result = await soak({ seconds, clients, pauseMs: pause, drainSeconds: drain }, progress);
progress.done();

const failures = result.failures.map((failure) => `FAILED: ${failure}`);
if (result.failed === 0 && result.counted < result.requests)
  failures.push(`FAILED: the proxy has counted ${result.counted} of ${result.requests} requests`);
if (json) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
else {
  const lines = [
    `${result.requests} requests, ${result.failed} failed; ${result.cores.toFixed(2)} cores of the proxy, ${result.residentMiB.toFixed(0)} MiB resident with its supervisor`,
    `${result.pushes} pushes, ${result.listenersReplaced} listeners replaced, ${result.endpointsDrained} endpoints drained and stopped, ${result.restarts} hot restarts`,
  ];
  process.stdout.write(`${[...lines, ...failures].join("\n")}\n`);
  if (seconds >= writtenFromSeconds) {
    const command = `npm run soak:proxy -- --seconds ${seconds} --clients ${clients} --pause ${pause} --drain ${drain}`;
    const intro = `\`${command}\`, ${new Date().toISOString().slice(0, 10)}: clients of HTTP/1.1, kept alive and not, and of HTTP/2, that count each request that fails.`;
    const list = lines.map((line) => `- ${line}`).join("\n");
    writeSection("soak:proxy", `## The proxy over time\n\n${intro}\n\n${list}`);
  }
}
process.exitCode = failures.length === 0 && result.failed === 0 ? 0 : 1;
