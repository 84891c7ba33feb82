/**
 * `npm run conformance:dubbo`: other implementations of bolt and Dubbo, as servers and as clients of their own kind, through two sidecars:
 * sofa-rpc-node with sofa-bolt-node and dubbo-remoting, and Dubbo for Java, unmodified but for the address that they call; then Dubbo for
 * Java that finds and is found by the mesh in a ZooKeeper and in a Nacos. `--only node`, `java`, `bridge` or `nacos` runs a part.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { oneOf, readCommandLine } from "@fairlead/lifecycle";
import { freePort } from "@fairlead/testing-basics";
import { Checks } from "./checks.ts";
import { CannotRun } from "./envoy-binary.ts";
import { checkBridge } from "./rpc/bridge-checks.ts";
import { MeshOfSidecars } from "./rpc/mesh-of-sidecars.ts";
import { checkNacos } from "./rpc/nacos-checks.ts";
import { javaPeers, nodePeers } from "./rpc/peer-packages.ts";
import { PeerServer } from "./rpc/peer-process.ts";

const run = promisify(execFile);
const { only } = readCommandLine({
  usage:
    "npm run conformance:dubbo -- [options]\nOther implementations of bolt and Dubbo as callers and callees of two sidecars, and over bridges.",
  options: { only: oneOf(["node", "java", "nacos", "bridge"], "a part") },
}).options;
const checks = new Checks();
const clientTimeoutMs = 60_000;

/** An application with that port, its sidecar, and the sidecar of a caller. @returns where the caller sends its calls */
async function sidecarsFor(protocol: "bolt" | "dubbo", port: number, address = "127.0.0.1") {
  const [inboundPort, own, outboundRpcPort] = [await freePort(), await freePort(), await freePort()];
  const mesh = await MeshOfSidecars.start(
    [
      { id: "callee", address, inboundPort, outboundRpcPort: own },
      { id: "caller", address, outboundRpcPort },
    ],
    [{ nodeId: "callee", interface: "org.x.Greeter", protocol, port, version: "1.0.0" }],
  );
  return { mesh, port: outboundRpcPort };
}

function assertBothServed(mesh: MeshOfSidecars, calls: number): void {
  assert.equal(mesh.stat("caller", "rpc.outbound_rpc.downstream_rq_total"), calls);
  assert.equal(mesh.stat("callee", "rpc.inbound.downstream_rq_total"), calls);
}

async function checkNode(): Promise<void> {
  const folder = await nodePeers();
  const script = join(import.meta.dirname, "rpc/sofa-peer.ts");
  for (const protocol of ["bolt", "dubbo"] as const) {
    await checks.check(`sofa-rpc-node calls sofa-rpc-node over ${protocol} through two sidecars`, async () => {
      const appPort = await freePort();
      const command = (role: string, port: number) => [script, folder, role, protocol, String(port)];
      await using server = await PeerServer.start([process.execPath, ...command("server", appPort)]);
      const { mesh, port } = await sidecarsFor(protocol, appPort);
      await using sidecars = mesh;
      const { stdout } = await run(process.execPath, command("client", port), { timeout: clientTimeoutMs });
      const { fail, ...answers } = JSON.parse(stdout) as Record<string, unknown>;
      assert.deepEqual(answers, { greet: "hello mesh", plus: true });
      assert.match(String(fail), /as asked/);
      assertBothServed(sidecars, 102);
      assert.equal(server.isRunning, true);
    });
  }
}

/** What Dubbo for Java calls when it is told to call 127.0.0.1. */
function hostAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}

async function checkJava(): Promise<void> {
  const classPath = await javaPeers();
  const opens = ["lang", "util", "math"].map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`);
  const java = (main: string, port: number, serialization: string) => [
    ...opens, "-cp", classPath, `org.x.${main}`, String(port), serialization,
  ]; // prettier-ignore
  for (const serialization of ["hessian2", "fastjson2"]) {
    await checks.check(`Dubbo 3.3 for Java calls itself with ${serialization} through two sidecars`, async () => {
      const appPort = await freePort();
      await using provider = await PeerServer.start(["java", ...java("Provider", appPort, serialization)]);
      const { mesh, port } = await sidecarsFor("dubbo", appPort, hostAddress());
      await using sidecars = mesh;
      const { stdout } = await run("java", java("Consumer", port, serialization), { timeout: clientTimeoutMs });
      assert.match(stdout, /^greet: hello mesh blue$/m);
      assert.match(stdout, /^details: \{numbers=\[1, 2, 3\], sum=6\}$/m);
      assert.match(stdout, /^fail: as asked$/m);
      assertBothServed(sidecars, 3);
      assert.equal(provider.isRunning, true);
    });
  }
}

const parts = {
  node: checkNode,
  java: checkJava,
  nacos: async () => await checkNacos(checks, { classPath: await javaPeers(), address: hostAddress() }),
  bridge: async () => await checkBridge(checks, { classPath: await javaPeers(), address: hostAddress() }),
};
for (const [name, part] of Object.entries(parts)) {
  if (only !== undefined && only !== name) continue;
  try {
    await part();
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    process.stdout.write(`left out: ${error.message}\n`);
  }
}
process.exitCode = checks.finish();
