import { type ExportedProvider } from "@fairlead/dubbo-registry";
import { type Catalogue, type Instance, type MeshNode, takesRpcCalls } from "@fairlead/model";
import { mirroredRegistry } from "./mirrored-instance.ts";

/** Behind a proxy of ours calls go through it, as those of the mesh do. */
function portOf(instance: Instance, node: MeshNode): number {
  return takesRpcCalls(node) ? (node.inboundPort ?? instance.port) : instance.port;
}

/** The mesh's own Dubbo providers, as consumers outside it are to find them: the same for the same facts, in the same order. */
export function exportedServices(catalogue: Catalogue, origin: string): ExportedProvider[] {
  const providers = new Map<string, ExportedProvider>();
  for (const instance of catalogue.instances.values()) {
    // What was read from a registry is written nowhere.
    if (instance.protocol !== "dubbo" || instance.state !== "ready" || mirroredRegistry(instance.nodeId) !== undefined)
      continue;
    const node = catalogue.nodes.get(instance.nodeId);
    if (node === undefined) continue;
    const { interface: name, version, group, methods, weight, labels } = instance;
    const port = portOf(instance, node);
    const provider: ExportedProvider = {
      interface: name,
      protocol: "dubbo",
      address: node.address,
      // A time would change with each restart; without one there is no warm-up.
      startedMs: 0,
      port,
      version,
      group,
      methods,
      tag: labels["dubbo.tag"] ?? "",
      application: node.app,
      weight,
      origin,
    };
    providers.set([name, group, version, node.address, port].join("|"), provider);
  }
  return [...providers.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, provider]) => provider);
}
