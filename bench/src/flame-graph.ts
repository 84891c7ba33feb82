/**
 * `node bench/src/flame-graph.ts [case]`: profiles the sidecar under the load of a case of `npm run bench:proxy` (http1-1k) and
 * writes docs/flame-graph.svg. `node bench/src/flame-graph.ts <file>.cpuprofile <file>.svg` draws a profile that is there.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endWrongUsage, readCommandLine } from "@fairlead/lifecycle";
import { BenchSite } from "./proxy/bench-site.ts";
import { fairlead } from "./proxy/contenders/fairlead.ts";
import { type CpuProfile, frameTree } from "./proxy/flame-graph/cpu-profile.ts";
import { renderFlameGraph } from "./proxy/flame-graph/render.ts";
import { closedLoop } from "./proxy/load/closed-loop.ts";
import { proxyCases } from "./proxy/proxy-case.ts";

const warmUpRequests = 60_000;
const seconds = 5;

async function takeProfile(caseId: string): Promise<CpuProfile> {
  const what = proxyCases.find(({ id }) => id === caseId);
  if (what === undefined) endWrongUsage(`there is no case ${caseId}, but ${proxyCases.map(({ id }) => id).join(", ")}`);
  const folder = mkdtempSync(join(tmpdir(), "fairlead-profile-"));
  const file = join(folder, "sidecar.cpuprofile");
  const preload = join(import.meta.dirname, "proxy/flame-graph/profile-on-signal.ts");
  try {
    await using site = await BenchSite.start(what);
    const profiled = {
      ...fairlead,
      command: (...args: Parameters<typeof fairlead.command>) => {
        const command = [...fairlead.command(...args)];
        const node = command.indexOf(process.execPath);
        return [...command.slice(0, node + 1), "--import", preload, ...command.slice(node + 1)];
      },
      options: { env: { FAIRLEAD_PROFILE: file, FAIRLEAD_PROFILE_SECONDS: String(seconds) } },
    };
    await site.add(profiled, { clusters: 0, endpointsOfEach: 0 });
    const proxy = site.proxies.get(profiled.name)!;
    await closedLoop(site.clientOf(proxy.port), what.connections, warmUpRequests);
    proxy.signal("SIGUSR2");
    while (!existsSync(file)) await closedLoop(site.clientOf(proxy.port), what.connections, warmUpRequests / 4);
    return JSON.parse(readFileSync(file, "utf8")) as CpuProfile;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { words } = readCommandLine({
  usage: `node bench/src/flame-graph.ts [CASE | FILE.cpuprofile] [FILE.svg]
Profiles the sidecar under the load of a case of bench:proxy, or draws a profile that is there, into docs/flame-graph.svg.`,
  words: [0, 2],
});
const [first = "http1-1k", target = join(import.meta.dirname, "../../docs/flame-graph.svg")] = words;
const ready = first.endsWith(".cpuprofile");
const profile = ready ? (JSON.parse(readFileSync(first, "utf8")) as CpuProfile) : await takeProfile(first);
const title = ready ? first : `The sidecar under load (${first}), time on its event loop's thread`;
writeFileSync(target, renderFlameGraph(frameTree(profile), title));
process.stdout.write(`${target}\n`);
