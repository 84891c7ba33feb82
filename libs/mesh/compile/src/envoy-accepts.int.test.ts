import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { envoyBinary } from "@fairlead/testing-servers";
import type { CompiledMesh } from "./index.ts";
import { jsonOf } from "./testing/json-of.ts";
import { meshOf, viewOf } from "./testing/mesh-under-test.ts";
import { wholeCorpus } from "./testing/whole-corpus.ts";

const run = promisify(execFile);

interface ListenerJson {
  readonly filterChains: readonly { readonly filters: readonly { readonly typedConfig: Record<string, unknown> }[] }[];
}

/** A node's view as a static configuration: routes stand in their listeners, so that Envoy checks their clusters too. */
function bootstrapOf(mesh: CompiledMesh, nodeId: string): object {
  const view = [...viewOf(mesh, nodeId)].filter((key) => !key.includes("/api/"));
  const of = (type: string) => view.filter((key) => key.startsWith(`${type}/`)).map((key) => jsonOf(mesh, key));
  const routes = new Map(of("rds").map((json) => [(json as { name: string }).name, json as object]));
  const listeners = of("lds").map((json) => {
    for (const { filters } of (json as unknown as ListenerJson).filterChains) {
      for (const { typedConfig } of filters) {
        const { rds } = typedConfig as { rds?: { routeConfigName: string } };
        if (rds === undefined) continue;
        delete typedConfig["rds"];
        typedConfig["routeConfig"] = { ...routes.get(rds.routeConfigName)!, validateClusters: true };
      }
    }
    return json;
  });
  const xds = { name: "xds", type: "STATIC", loadAssignment: { clusterName: "xds", endpoints: [] } };
  const grpcServices = [{ envoyGrpc: { clusterName: "xds" } }];
  return {
    node: { id: nodeId, cluster: "test" },
    dynamicResources: { adsConfig: { apiType: "GRPC", transportApiVersion: "V3", grpcServices } },
    staticResources: { listeners, clusters: [xds, ...of("cds")] },
  };
}

async function folderWithCertificate(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-envoy-accepts-"));
  t.after(async () => await rm(folder, { recursive: true, force: true }));
  const files = ["-keyout", join(folder, "k.pem"), "-out", join(folder, "c.pem")];
  await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=a.com", ...files]);
  return folder;
}

test("Envoy takes what every field of every policy compiles to", async (t) => {
  const envoy = await envoyBinary();
  const folder = await folderWithCertificate(t);
  const mesh = meshOf({
    ...wholeCorpus(folder),
    nodes: [
      { id: "edge", labels: { edge: "a" } },
      { id: "app", inboundPort: 15006, outboundPort: 15001 },
    ],
    instances: [{ nodeId: "app", interface: "shop.A" }],
  });
  assert.deepEqual(mesh.rejected, []);
  for (const nodeId of ["edge", "app"]) {
    const file = join(folder, `${nodeId}.json`);
    await writeFile(file, JSON.stringify(bootstrapOf(mesh, nodeId)));
    const { stdout } = await run(envoy, ["--mode", "validate", "-c", file, "--log-level", "warning"]);
    assert.match(stdout, /OK/, nodeId);
  }
});
