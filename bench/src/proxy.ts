/**
 * `npm run bench:proxy`: what a proxied request costs, peers side by side on the same backend, in turns. Writes docs/benchmarks.md.
 * `--help` tells the options.
 *
 * CPU time is the system's own account of the proxy's process. On a shared machine it says more than requests a second.
 */
import { writeFileSync } from "node:fs";
import { CannotRun, envoyBinary, envoyVersion } from "@fairlead/testing-servers";
import { writeSection } from "./benchmarks-page.ts";
import { type Contender } from "./proxy/contenders/contender.ts";
import { envoy } from "./proxy/contenders/envoy.ts";
import { fairleadFrom } from "./proxy/contenders/fairlead.ts";
import { haproxy } from "./proxy/contenders/haproxy.ts";
import { nginx } from "./proxy/contenders/nginx.ts";
import { nodeHttp } from "./proxy/contenders/node-http.ts";
import { buildSidecar } from "./proxy/contenders/sidecar-program.ts";
import { type CaseSamples, measureCase } from "./proxy/measure-case.ts";
import { measureHalfLoad } from "./proxy/measure-half-load.ts";
import { measureMemory } from "./proxy/measure-memory.ts";
import { readOptions } from "./proxy/options.ts";
import { proxyCases } from "./proxy/proxy-case.ts";
import { renderReport } from "./proxy/report.ts";

async function findEnvoy(): Promise<Contender> {
  try {
    return envoy({ binary: await envoyBinary(), version: envoyVersion });
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    return envoy({ missing: error.message });
  }
}

const options = readOptions();
const progress = (line: string): void => void process.stdout.write(`${line}\n`);
const { only, quick, cases } = options;
const pace = quick
  ? { rounds: 1, warmUpRequests: 10_000, requests: 10_000 }
  : { rounds: 5, warmUpRequests: 60_000, requests: 60_000 };

using sidecar = buildSidecar((reason) => progress(`the sidecar could not be built as its image has it: ${reason}`));
const wanted = [fairleadFrom(sidecar), haproxy, nginx, await findEnvoy(), nodeHttp].filter(({ name }) =>
  only.has(name.toLowerCase()),
);
for (const { name, missing } of wanted) if (missing !== undefined) progress(`${name}: left out, ${missing}`);
const contenders = wanted.filter(({ missing }) => missing === undefined);

const measured = new Map<string, CaseSamples>();
for (const what of proxyCases.filter(({ id }) => cases.has(id)))
  measured.set(what.id, await measureCase(what, contenders, pace, progress));
const plain = proxyCases.find(({ id }) => id === "http1-1k")!;
const peers = contenders.filter((contender) => contender !== nodeHttp);
const halfPace = { rounds: quick ? 1 : 24, seconds: 1, requests: 2 * pace.warmUpRequests };
const halfLoad = cases.has("half-load") ? await measureHalfLoad(plain, peers, halfPace, progress) : undefined;
const memory = cases.has("memory") ? await measureMemory(plain, peers, pace.requests, progress) : new Map();

const text = renderReport({ contenders: wanted, pace, measured, halfLoad, memory });
process.stdout.write(`\n${text}`);
if (options.json !== undefined) {
  const samples = Object.fromEntries([...measured].map(([id, taken]) => [id, Object.fromEntries(taken)]));
  const all = {
    samples,
    halfLoad: halfLoad && { ...halfLoad, proxies: Object.fromEntries(halfLoad.proxies) },
    memory: Object.fromEntries(memory),
  };
  writeFileSync(options.json, `${JSON.stringify(all, undefined, 2)}\n`);
}
if (options.whole) writeSection("bench:proxy", text);
