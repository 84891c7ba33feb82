import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ourVerdict } from "@fairlead/compile/testing/our-verdict";
import type { Checks } from "./checks.ts";
import { type JudgedResource, judgedResources } from "./judged-resources.ts";

const run = promisify(execFile);

/** A resource among static ones, where Envoy judges it at once. */
function bootstrapOf({ kind, json }: JudgedResource): object {
  const cluster = { name: "a", type: "STATIC", connectTimeout: "1s" };
  if (kind === "cluster") return { staticResources: { clusters: [json] } };
  if (kind === "listener") return { staticResources: { clusters: [cluster], listeners: [json] } };
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    statPrefix: "m",
    // As the compiler has it: clusters may come later than the routes that name them.
    routeConfig: { validateClusters: false, ...json },
    httpFilters: [
      {
        name: "router",
        typedConfig: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
      },
    ],
  };
  const address = { socketAddress: { address: "127.0.0.1", portValue: 0 } };
  const filterChains = [{ filters: [{ name: "m", typedConfig: manager }] }];
  return {
    staticResources: { clusters: [cluster], listeners: [{ name: "l", address, filterChains }] },
  };
}

/** @returns why Envoy refuses it; undefined: it does not */
async function envoysVerdict(binary: string, folder: string, judged: JudgedResource): Promise<string | undefined> {
  const file = join(folder, "bootstrap.json");
  await writeFile(file, JSON.stringify(bootstrapOf(judged)));
  try {
    await run(binary, ["--mode", "validate", "-c", file, "--log-level", "critical"]);
    return undefined;
  } catch (error) {
    const { stderr, code } = error as { stderr?: string; code?: unknown };
    if (typeof code !== "number") throw error;
    return `${stderr}`.trim().slice(0, 500);
  }
}

/** Envoy and our validation say the same of each resource, good and bad; where we are stricter on purpose, Envoy still takes it. */
export async function checkVerdicts(checks: Checks, binary: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-envoy-verdicts-"));
  try {
    for (const judged of judgedResources) {
      const { kind, name, json, stricter } = judged;
      const but = stricter === undefined ? "" : ` (we alone refuse it: ${stricter})`;
      await checks.check(`${kind}: ${name}${but}`, async () => {
        const envoys = await envoysVerdict(binary, folder, judged);
        const ours = ourVerdict(kind, json);
        const isAlike = (envoys === undefined) === (ours === undefined);
        if (stricter === undefined ? isAlike : envoys === undefined && ours !== undefined) return;
        throw new Error(`Envoy: ${envoys ?? "takes it"}\nwe: ${ours ?? "take it"}`);
      });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
