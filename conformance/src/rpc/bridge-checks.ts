import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Catalogue, Instance } from "@fairlead/model";
import { freePort, until } from "@fairlead/testing-basics";
import type { Checks } from "../checks.ts";
import { BridgedMesh } from "./bridged-mesh.ts";
import { PeerServer } from "./peer-process.ts";

const run = promisify(execFile);
const name = "org.x.Greeter";
const clientTimeoutMs = 90_000;

export interface JavaPeers {
  readonly classPath: string;
  /** What applications outside the mesh reach this machine at. */
  readonly address: string;
}

export function java(
  peers: JavaPeers,
  main: string,
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
) {
  const opens = ["lang", "util", "math"].map((one) => `--add-opens=java.base/java.${one}=ALL-UNNAMED`);
  const properties = Object.entries(settings).map(([key, value]) => `-Ddubbo.application.${key}=${value}`);
  return [...opens, ...properties, "-cp", peers.classPath, `org.x.${main}`, ...args];
}

export async function greetings(
  peers: JavaPeers,
  target: string,
  tag: string,
  calls: number,
  settings = {},
): Promise<string[]> {
  const args = java(peers, "RegistryConsumer", [target, tag, String(calls)], settings);
  const { stdout } = await run("java", args, { timeout: clientTimeoutMs });
  return [...stdout.matchAll(/^greet: hello mesh from (\d+)$/gm)].map(([, port]) => port!);
}

const portsIn = ({ instances }: Catalogue) =>
  [...instances.values()].filter((instance) => instance.nodeId.startsWith("registry~")).map(({ port }) => port);

/** A mesh with one caller and, where a port is given, one application of its own. */
export async function meshWith(peers: JavaPeers, ownPort?: number, other?: string) {
  const [outboundRpcPort, inboundPort, own] = [await freePort(), await freePort(), await freePort()];
  const callee = {
    id: "callee",
    app: "mesh-shop",
    address: peers.address,
    inboundPort,
    outboundRpcPort: own,
    labels: {},
  };
  const instance: Instance = { nodeId: "callee", interface: name, protocol: "dubbo", port: ownPort ?? 1, version: "1.0.0", group: "", methods: ["greet"], labels: {}, weight: 100, state: "ready" }; // prettier-ignore
  const caller = { id: "caller", app: "front", address: peers.address, outboundRpcPort, labels: {} };
  const nodes = ownPort === undefined ? [caller] : [caller, callee];
  return { mesh: await BridgedMesh.start(nodes, ownPort === undefined ? [] : [instance], other), outboundRpcPort };
}

/**
 * Calls of the mesh reach Dubbo for Java, which has registered itself as `settings` say.
 *
 * @param target of the provider: its registry @param other the bridge, where it is not one to ZooKeeper
 */
export async function meshCallsProvider(
  peers: JavaPeers,
  settings: Readonly<Record<string, string>>,
  target: (mesh: BridgedMesh) => string,
  other?: string,
): Promise<void> {
  const { mesh, outboundRpcPort } = await meshWith(peers, undefined, other);
  await using bridged = mesh;
  const port = await freePort();
  const provider = java(peers, "RegistryProvider", [String(port), target(bridged), "shop"], settings);
  await using server = await PeerServer.start(["java", ...provider]);
  await bridged.apply("the provider is in the mesh", (catalogue) => portsIn(catalogue).includes(port));
  assert.deepEqual(await greetings(peers, String(outboundRpcPort), "-", 2), [String(port), String(port)]);
  assert.equal(bridged.stat("caller", "rpc.outbound_rpc.downstream_rq_total"), 2);
  assert.equal(server.isRunning, true);
}

/** Dubbo for Java and the mesh find each other in a real ZooKeeper, both ways and in both of Dubbo's forms of registration. */
export async function checkBridge(checks: Checks, peers: JavaPeers): Promise<void> {
  const modes = [
    ["interfaces", { "register-mode": "interface" }],
    ["applications, metadata in ZooKeeper", { "register-mode": "instance", "metadata-type": "remote" }],
    ["applications, metadata asked of the instance", { "register-mode": "instance", "metadata-type": "local" }],
  ] as const;
  for (const [what, settings] of modes) {
    await checks.check(`the mesh calls Dubbo 3.3 for Java, which has registered ${what}`, async () => {
      await meshCallsProvider(peers, settings, (mesh) => mesh.zookeeper);
    });
  }
  for (const [what, step] of [
    ["interfaces", "FORCE_INTERFACE"],
    ["applications", "FORCE_APPLICATION"],
  ] as const) {
    await checks.check(`Dubbo 3.3 for Java, which looks for ${what}, calls a service of the mesh`, async () => {
      const port = await freePort();
      await using server = await PeerServer.start([
        "java",
        ...java(peers, "RegistryProvider", [String(port), "N/A", "shop"]),
      ]);
      const { mesh } = await meshWith(peers, port);
      await using bridged = mesh;
      await bridged.apply("the service", ({ instances }) => instances.size === 1);
      await until("it is exported", async () => (await bridged.application.read(`/dubbo/mapping/${name}`)) !== undefined, 30_000); // prettier-ignore
      const settings = { "service-discovery.migration": step };
      assert.deepEqual(await greetings(peers, bridged.zookeeper, "-", 2, settings), [String(port), String(port)]);
      assert.equal(bridged.stat("callee", "rpc.inbound.downstream_rq_total"), 2, "past the sidecar");
      assert.equal(server.isRunning, true);
    });
  }
  await checks.check(
    "a tag router and a configurator of the registry take effect on calls through the mesh",
    async () => {
      const { mesh, outboundRpcPort } = await meshWith(peers);
      await using bridged = mesh;
      const [plain, gray] = [await freePort(), await freePort()];
      const provider = (port: number) => [
        "java",
        ...java(peers, "RegistryProvider", [String(port), bridged.zookeeper, "shop"]),
      ];
      await using first = await PeerServer.start(provider(plain));
      await using second = await PeerServer.start(provider(gray));
      const policies = ({ policies: all }: Catalogue) => [...all.values()].map(({ text }) => text).join();
      await bridged.writeRule("shop.tag-router", `{force: false, enabled: true, key: shop, tags: [{name: gray, addresses: ['${peers.address}:${gray}']}]}`); // prettier-ignore
      await bridged.apply("the tag", (catalogue) => portsIn(catalogue).includes(gray) && portsIn(catalogue).includes(plain) && policies(catalogue).includes(`:${gray}`)); // prettier-ignore
      const all = async (tag: string) => [...new Set(await greetings(peers, String(outboundRpcPort), tag, 6))];
      assert.deepEqual(await all("gray"), [String(gray)]);
      assert.deepEqual(await all("-"), [String(plain)]);
      await bridged.writeRule(`${name}:1.0.0:.configurators`, `{configVersion: v3.0, scope: service, key: '${name}:1.0.0', configs: [{side: provider, addresses: ['${peers.address}:${gray}'], parameters: {disabled: true}}]}`); // prettier-ignore
      await bridged.apply("who is disabled is out", (catalogue) => !portsIn(catalogue).includes(gray));
      assert.deepEqual(await all("gray"), [String(plain)], "without force, untagged ones take over");
      assert.deepEqual([first.isRunning, second.isRunning], [true, true]);
    },
  );
}
