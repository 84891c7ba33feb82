import { hostname } from "node:os";
import { type NodeBody, nodeSchema } from "@fairlead/registration";
import type { SidecarConfig } from "./config.ts";

type Identity = Pick<
  SidecarConfig,
  "app" | "nodeId" | "address" | "inboundPort" | "outboundPort" | "outboundRpcPort" | "labels"
>;

/** The same after a restart, so that the new process takes over its registration, and different for each sidecar of a host. */
function defaultNodeId({ app, address, inboundPort }: Identity, host: string): string {
  const part = (text: string, length: number) => text.replaceAll(/[^A-Za-z0-9._-]/g, "-").slice(0, length);
  return `sidecar~${address}~${part(app, 100)}-${part(host, 60)}-${inboundPort}~fairlead`;
}

/** The sidecar as it registers itself. */
export function nodeOf(config: Identity, host: string = hostname()): NodeBody {
  return nodeSchema.parse({
    id: config.nodeId ?? defaultNodeId(config, host),
    app: config.app,
    address: config.address,
    inboundPort: config.inboundPort,
    outboundPort: config.outboundPort,
    ...(config.outboundRpcPort === 0 ? {} : { outboundRpcPort: config.outboundRpcPort }),
    labels: config.labels,
  } satisfies NodeBody);
}
