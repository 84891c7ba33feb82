import { z } from "zod";
import type { RegistryClient } from "../registry/registry-client.ts";
import { listAll } from "../registry/list-all.ts";
import { bridgeName } from "./zookeeper-installed.ts";
import { nodeIdSuffix } from "./mesh-app.ts";

const instanceSchema = z.object({
  nodeId: z.string(),
  interface: z.string(),
  protocol: z.string(),
  port: z.number(),
  version: z.string(),
  group: z.string(),
  state: z.string(),
});

const isOurs = (nodeId: string): boolean =>
  nodeId.endsWith(nodeIdSuffix) || nodeId.startsWith(`registry~${bridgeName}~`);

/**
 * Withdraws what an `up` that was killed has left in the catalogue: without it callers would be sent to ports where nobody listens until
 * the leases end. Only instances of nodes that `up` itself names are touched, and those of its own ZooKeeper.
 */
export async function sweepLeftovers(registry: RegistryClient): Promise<number> {
  const instances = await listAll(registry, "instances", instanceSchema);
  const left = instances.filter(({ nodeId, state }) => isOurs(nodeId) && state !== "draining");
  for (const { nodeId, interface: name, protocol, port, version, group } of left) {
    const body = { service: { interface: name, protocol, port, version, group }, node: { id: nodeId } };
    await registry.call({
      method: "POST",
      path: "/unpub",
      body: { type: "application/json", text: JSON.stringify(body) },
      answer: z.unknown(),
    });
  }
  return left.length;
}
