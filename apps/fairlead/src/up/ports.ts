import { createServer } from "node:net";
import { FairleadError } from "@fairlead/errors";
import "../errors.ts";

export interface ControlPlanePorts {
  readonly registry: number;
  readonly compiler: number;
  readonly ads: number;
  readonly adsDebug: number;
}

export interface SidecarPorts {
  readonly api: number;
  readonly outbound: number;
  /** For Dubbo and bolt. */
  readonly outboundRpc: number;
  readonly inbound: number;
  readonly admin: number;
}

export interface PortPlan {
  readonly controlPlane: ControlPlanePorts;
  /** Of the sidecar that people use; the others have free ones. */
  readonly firstSidecar: SidecarPorts;
}

/** The ports that are a contract with users (docs/architecture.md). */
export const contractPorts: PortPlan = {
  controlPlane: { registry: 13300, compiler: 13301, ads: 15010, adsDebug: 15014 },
  firstSidecar: { api: 13330, outbound: 15001, outboundRpc: 12220, inbound: 15006, admin: 15000 },
};

/** Nine ports in a row: those of `contractPorts`. */
export function portsFrom(base: number): PortPlan {
  return {
    controlPlane: { registry: base, compiler: base + 1, ads: base + 2, adsDebug: base + 3 },
    firstSidecar: { api: base + 4, outbound: base + 5, inbound: base + 6, admin: base + 7, outboundRpc: base + 8 },
  };
}

const uses: readonly (readonly [string, (plan: PortPlan) => number])[] = [
  ["registry-sync HTTP", (plan) => plan.controlPlane.registry],
  ["config-compiler HTTP", (plan) => plan.controlPlane.compiler],
  ["ads-gateway gRPC", (plan) => plan.controlPlane.ads],
  ["ads-gateway debug", (plan) => plan.controlPlane.adsDebug],
  ["first sidecar, local API", (plan) => plan.firstSidecar.api],
  ["first sidecar, outbound", (plan) => plan.firstSidecar.outbound],
  ["first sidecar, outbound Dubbo and bolt", (plan) => plan.firstSidecar.outboundRpc],
  ["first sidecar, inbound", (plan) => plan.firstSidecar.inbound],
  ["first sidecar, admin", (plan) => plan.firstSidecar.admin],
];

export async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

/** @throws FairleadError FL_UP_PORT_TAKEN naming each port that is taken, its use, and how to choose others */
export async function assertFree(plan: PortPlan): Promise<void> {
  const taken: string[] = [];
  const ports: number[] = [];
  for (const [use, portIn] of uses) {
    const port = portIn(plan);
    if (await isFree(port)) continue;
    taken.push(`${port} (${use})`);
    ports.push(port);
  }
  if (ports.length === 0) return;
  throw new FairleadError(
    "FL_UP_PORT_TAKEN",
    `another process listens on port ${taken.join(", ")}; see which with \`ss -ltnp 'sport = :${ports[0]}'\`, ` +
      "or start with --free-ports, or with --port-base 20000 for nine ports from 20000 on",
    { facts: { ports: ports.map(String) } },
  );
}

/** Below the range that systems take ports of outgoing connections from, so that none of those gets in between. */
const firstFree = 20_000;
const lastFree = 32_000;

/** Hands out ports that nobody listens on, each once. */
export class FreePorts {
  readonly #given = new Set<number>();

  async take(): Promise<number> {
    for (let attempt = 0; attempt < 1000; attempt++) {
      const port = firstFree + Math.floor(Math.random() * (lastFree - firstFree));
      if (this.#given.has(port) || !(await isFree(port))) continue;
      this.#given.add(port);
      return port;
    }
    throw new FairleadError("FL_UP_PORT_TAKEN", `no free port found between ${firstFree} and ${lastFree} on 127.0.0.1`);
  }

  async sidecar(): Promise<SidecarPorts> {
    return {
      api: await this.take(),
      outbound: await this.take(),
      outboundRpc: await this.take(),
      inbound: await this.take(),
      admin: await this.take(),
    };
  }

  async plan(): Promise<PortPlan> {
    const controlPlane = {
      registry: await this.take(),
      compiler: await this.take(),
      ads: await this.take(),
      adsDebug: await this.take(),
    };
    return { controlPlane, firstSidecar: await this.sidecar() };
  }
}
