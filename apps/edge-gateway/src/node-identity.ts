import { hostname } from "node:os";
import { type NodeBody, nodeSchema } from "@fairlead/registration";
import type { EdgeGatewayConfig } from "./config.ts";

type Identity = Pick<EdgeGatewayConfig, "app" | "nodeId" | "address" | "labels">;

/** The gateway as it registers itself: it has no application, so that nobody calls it and it takes no application's calls. */
export function nodeOf({ app, nodeId, address, labels }: Identity, host: string = hostname()): NodeBody {
  const part = (text: string, length: number) => text.replaceAll(/[^A-Za-z0-9._-]/g, "-").slice(0, length);
  // Istio's word for a gateway; the same after a restart, so that the new process takes over its registration.
  const id = nodeId ?? `router~${address}~${part(app, 100)}-${part(host, 60)}~fairlead`;
  return nodeSchema.parse({ id, app, address, labels } satisfies NodeBody);
}
