import assert from "node:assert/strict";
import { freePort, until } from "@fairlead/testing-basics";
import { startTestNacos, type TestNacos } from "@fairlead/testing-servers";
import type { Checks } from "../checks.ts";
import { greetings, java, type JavaPeers, meshCallsProvider, meshWith } from "./bridge-checks.ts";
import { PeerServer } from "./peer-process.ts";

/** Dubbo for Java with Nacos' own client, and the mesh, find each other in a real Nacos, both ways and in both of Dubbo's forms of registration. */
export async function checkNacos(checks: Checks, peers: JavaPeers): Promise<void> {
  const nacos = await startTestNacos();
  try {
    await checkBothWays(checks, peers, nacos);
  } finally {
    await nacos.stop();
  }
}

async function checkBothWays(checks: Checks, peers: JavaPeers, nacos: TestNacos): Promise<void> {
  const bridge = `nacos://${nacos.user}:${nacos.password}@${nacos.address}`;
  const registry = `nacos://${nacos.address}?username=${nacos.user}&password=${nacos.password}`;
  const modes = [
    ["interfaces", { "register-mode": "interface" }],
    ["applications with their metadata", { "register-mode": "instance", "metadata-type": "remote" }],
    ["applications that tell their metadata themselves", { "register-mode": "instance", "metadata-type": "local" }],
  ] as const;
  for (const [what, settings] of modes) {
    await checks.check(`the mesh calls Dubbo 3.3 for Java, which has registered ${what} in Nacos`, async () => {
      await meshCallsProvider(peers, settings, () => registry, bridge);
    });
  }
  for (const [what, step] of [
    ["interfaces", "FORCE_INTERFACE"],
    ["applications", "FORCE_APPLICATION"],
  ] as const) {
    await checks.check(
      `Dubbo 3.3 for Java, which looks for ${what} in Nacos, calls a service of the mesh`,
      async () => {
        const port = await freePort();
        const own = java(peers, "RegistryProvider", [String(port), "N/A", "shop"]);
        await using server = await PeerServer.start(["java", ...own]);
        const { mesh } = await meshWith(peers, port, bridge);
        await using bridged = mesh;
        await bridged.apply("the service", ({ instances }) => instances.size === 1);
        const settings = { "service-discovery.migration": step };
        const answers = async () => await greetings(peers, registry, "-", 2, settings).catch(() => []);
        await until("it is exported and called", async () => (await answers()).join() === `${port},${port}`, 30_000);
        assert(bridged.stat("callee", "rpc.inbound.downstream_rq_total") >= 2, "past the sidecar");
        assert.equal(server.isRunning, true);
      },
    );
  }
}
