import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { CompiledMesh } from "@fairlead/compile";
import { meshOf, viewOf } from "@fairlead/compile/testing/mesh-under-test";
import { wholeCorpus } from "@fairlead/compile/testing/whole-corpus";
import { typeUrls } from "@fairlead/envoy-api";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { ProxyRuntime, type XdsRejection, type XdsResource } from "@fairlead/proxy-runtime";
import { freePort } from "@fairlead/testing-basics";

const run = promisify(execFile);
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

async function folderWithCertificate(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-proxy-accepts-"));
  t.after(async () => await rm(folder, { recursive: true, force: true }));
  const files = ["-keyout", join(folder, "k.pem"), "-out", join(folder, "c.pem")];
  await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=a.com", ...files]);
  return folder;
}

/** The listener on a port of loopback that nobody has: those of the corpus may be taken here. */
async function onFreePort({ name, body }: XdsResource): Promise<XdsResource> {
  const listener = fromBinary(ListenerSchema, body);
  const address = listener.address?.address;
  assert.ok(address?.case === "socketAddress");
  address.value.address = "127.0.0.1";
  address.value.portSpecifier = { case: "portValue", value: await freePort() };
  return { name, body: toBinary(ListenerSchema, listener) };
}

/** @returns what the proxy of a node refuses of all that it holds */
async function refusalsOf(mesh: CompiledMesh, nodeId: string): Promise<readonly XdsRejection[]> {
  const runtime = new ProxyRuntime({
    logger: quiet,
    nodeId,
    drainTimeoutMs: 100,
    resolveName: async () => await Promise.resolve([]),
  });
  const held = [...viewOf(mesh, nodeId)].map((key) => mesh.resources.get(key)!).filter(({ onDemand }) => !onDemand);
  const refusals: XdsRejection[] = [];
  try {
    for (const typeUrl of [typeUrls.cluster, typeUrls.endpoint, typeUrls.listener, typeUrls.route]) {
      const resources = held.filter((resource) => resource.typeUrl === typeUrl);
      assert.ok(resources.length > 0, typeUrl);
      const given = typeUrl === typeUrls.listener ? await Promise.all(resources.map(onFreePort)) : resources;
      refusals.push(...(await runtime.apply(typeUrl, given)));
    }
  } finally {
    await runtime.close();
  }
  return refusals;
}

test("our proxy takes what every field of every policy compiles to", async (t) => {
  const mesh = meshOf({
    ...wholeCorpus(await folderWithCertificate(t)),
    nodes: [
      { id: "edge", labels: { edge: "a" } },
      { id: "app", inboundPort: 15006, outboundPort: 15001 },
    ],
    instances: [{ nodeId: "app", interface: "shop.A" }],
  });
  assert.deepEqual(mesh.rejected, []);
  for (const nodeId of ["app", "edge"]) assert.deepEqual(await refusalsOf(mesh, nodeId), [], nodeId);
});
