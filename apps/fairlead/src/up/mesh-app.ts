import { ManagedProcess } from "./managed-process.ts";
import type { SidecarPorts } from "./ports.ts";
import { untilReady } from "./readiness.ts";
import { type Sample, sampleProcess } from "./sample-process.ts";
import { siblingScript } from "./scripts.ts";

/** Node ids of `up` end with it: what an `up` that was killed has left in the catalogue can be told from other nodes. */
export const nodeIdSuffix = "~fairlead-up";

export interface MeshAppOptions {
  /** Unique in the mesh; the process names and the node id are made of it. */
  readonly name: string;
  /** What proxies are told to call it; instances of one application share it. */
  readonly app: string;
  readonly ports: SidecarPorts;
  readonly controlPlane: { readonly registryUrl: string; readonly adsAddress: string };
  readonly logFolder: string;
  /** The sample that runs beside the sidecar; none where people or `up` itself are the application. */
  readonly sample?: Sample;
}

/** A sidecar, and the sample application beside it. */
export class MeshApp {
  readonly name: string;
  readonly nodeId: string;
  readonly ports: SidecarPorts;
  readonly sidecar: ManagedProcess;
  readonly application: ManagedProcess | undefined;
  readonly applicationPort: number | undefined;

  constructor(options: MeshAppOptions) {
    const { name, ports, sample, logFolder } = options;
    this.name = name;
    this.nodeId = `sidecar~127.0.0.1~${name}${nodeIdSuffix}`;
    this.ports = ports;
    this.sidecar = new ManagedProcess({
      name: `sidecar ${name}`,
      script: siblingScript(import.meta.url, "../../../sidecar/src/main"),
      // As its image starts it.
      nodeArguments: ["--max-semi-space-size=8", "--no-maglev"],
      logFolder,
      environment: {
        FAIRLEAD_APP: options.app,
        FAIRLEAD_NODE_ID: this.nodeId,
        FAIRLEAD_ADDRESS: "127.0.0.1",
        FAIRLEAD_API_PORT: String(ports.api),
        FAIRLEAD_OUTBOUND_PORT: String(ports.outbound),
        FAIRLEAD_OUTBOUND_RPC_PORT: String(ports.outboundRpc),
        FAIRLEAD_INBOUND_PORT: String(ports.inbound),
        FAIRLEAD_ADMIN_PORT: String(ports.admin),
        FAIRLEAD_REGISTRY_URL: options.controlPlane.registryUrl,
        FAIRLEAD_ADS_ADDRESS: options.controlPlane.adsAddress,
      },
    });
    this.applicationPort = sample?.port;
    this.application =
      sample === undefined
        ? undefined
        : sampleProcess(name, sample, logFolder, {
            SHOP_SIDECAR_API: `http://127.0.0.1:${ports.api}`,
            SHOP_OUTBOUND: `http://127.0.0.1:${ports.outbound}`,
            SHOP_OUTBOUND_RPC: `127.0.0.1:${ports.outboundRpc}`,
          });
  }

  get processes(): ManagedProcess[] {
    return this.application === undefined ? [this.sidecar] : [this.sidecar, this.application];
  }

  /** Resolves when the sidecar takes calls and the application is published. */
  async start(): Promise<void> {
    for (const process of this.processes) process.start();
    await untilReady(this.sidecar, `http://127.0.0.1:${this.ports.admin}/ready`);
    if (this.application !== undefined)
      await untilReady(this.application, `http://127.0.0.1:${this.applicationPort}/readyz`);
  }
}
