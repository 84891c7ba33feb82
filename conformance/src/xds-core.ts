/**
 * An unmodified gRPC C-core client (Debian's python3-grpcio) against our gateway and compiler, over state-of-the-world ADS.
 * `npm run conformance:xds` runs it. Exit code: 0 all passed, 1 something failed, 2 there is no python3 with grpcio.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { readCommandLine } from "@fairlead/lifecycle";
import { until } from "@fairlead/testing-basics";
import { Checks } from "./checks.ts";
import { CannotRun } from "./envoy-binary.ts";
import { GatewayMesh } from "./gateway-mesh.ts";

readCommandLine({
  usage: "node conformance/src/xds-core.ts\ngRPC C-core on the gateway, over state-of-the-world ADS.",
});
const run = promisify(execFile);
const pythons = ["/usr/bin/python3", "python3"];
const service = { interface: "shop.Orders", protocol: "grpc" } as const;
const nodeId = "core-1";

/** @returns a Python that has gRPC @throws CannotRun */
async function pythonWithGrpc(): Promise<string> {
  for (const python of pythons) {
    try {
      await run(python, ["-c", "import grpc"]);
      return python;
    } catch {
      // Another one may have it.
    }
  }
  throw new CannotRun("python3 with grpcio is needed (Debian: apt-get install -y python3-grpcio)");
}

/** A gRPC server that answers every call with its name. */
async function startBackend(name: string): Promise<{ readonly port: number; stop(): void }> {
  const message = Buffer.from(name);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.byteLength, 1);
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.resume();
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.concat([prefix, message]));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  const stop = () => {
    server.close();
    for (const session of sessions) session.destroy();
  };
  return { port: address.port, stop };
}

function startClient(python: string, adsPort: number): { readonly child: ChildProcess; readonly lines: string[] } {
  const bootstrap = {
    xds_servers: [
      {
        server_uri: `127.0.0.1:${adsPort}`,
        channel_creds: [{ type: "insecure" }],
        server_features: ["xds_v3"],
      },
    ],
    node: { id: nodeId, cluster: "core", locality: {} },
  };
  const child = spawn(python, [join(import.meta.dirname, "xds-core-client.py")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      ...process.env,
      GRPC_XDS_BOOTSTRAP_CONFIG: JSON.stringify(bootstrap),
      XDS_TARGET: `xds:///${service.interface}`,
      XDS_METHOD: `/${service.interface}/Where`,
    },
  });
  const lines: string[] = [];
  if (child.stdout !== null) createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  return { child, lines };
}

async function main(python: string): Promise<number> {
  const checks = new Checks();
  const mesh = new GatewayMesh();
  await mesh.start();
  const backends = [await startBackend("first"), await startBackend("second")];
  const instance = (index: number) => ({
    nodeId: `host-${index}`,
    ...service,
    port: backends[index]!.port,
    version: "",
    group: "",
    methods: [],
    labels: {},
    weight: 100,
    state: "ready" as const,
  });
  for (const index of [0, 1]) mesh.node({ id: `host-${index}`, app: "backend", address: "127.0.0.1", labels: {} });
  mesh.service(service);
  mesh.instance(instance(0));
  await mesh.commit();
  const { child, lines } = startClient(python, mesh.grpcPort);
  const lastIs = async (answer: string) => {
    await until(answer, () => lines.at(-1) === answer, 15_000).catch((error: unknown) => {
      throw new Error(`${String(error)}; it said ${JSON.stringify(lines)}`);
    });
  };
  const exited = new Promise((resolve) => child.once("exit", resolve));
  try {
    await checks.check("C-core: a call over what ADS gives it", async () => await lastIs("answer first"));
    await checks.check(
      "C-core: every type is ACKed, also with the features that it sends (rule 68)",
      async () => await mesh.acked(nodeId),
    );
    await checks.check("C-core: an endpoint that moves is followed", async () => {
      mesh.withdraw(instance(0));
      mesh.instance(instance(1));
      await mesh.commit();
      await lastIs("answer second");
      await mesh.acked(nodeId);
    });
    await checks.check("C-core: no call failed", () => {
      assert.deepEqual(
        lines.filter((line) => line.startsWith("error")),
        [],
      );
    });
    await checks.check("C-core: a closed channel leaves no subscription", async () => {
      child.stdin?.end();
      await exited;
      await until("disconnected", async () => (await mesh.syncz()).proxies.length === 0);
    });
  } finally {
    child.stdin?.end();
    const killer = setTimeout(() => child.kill("SIGKILL"), 5000);
    await exited;
    clearTimeout(killer);
    for (const backend of backends) backend.stop();
    await mesh.stop();
  }
  process.stdout.write(`${lines[0]}\n`);
  return checks.finish();
}

try {
  process.exitCode = await main(await pythonWithGrpc());
} catch (error) {
  if (!(error instanceof CannotRun)) throw error;
  process.stderr.write(`cannot run: ${error.message}\n`);
  process.exitCode = 2;
}
