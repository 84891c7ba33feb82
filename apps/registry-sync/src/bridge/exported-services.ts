import { providerUrl, RegistryPaths } from "@fairlead/dubbo-registry";
import type { Catalogue } from "@fairlead/model";
import type { ExportedNode } from "./foreign-registry.ts";

/** Nodes that stand for a registry's hosts begin so: what was read there is written nowhere. */
const mirrored = "registry~";

/**
 * The mesh's own Dubbo providers, as consumers outside it look for them. A name says all of a provider, and the same of it every time, so
 * that replicas and restarts do not make others' consumers connect again.
 */
export function exportedServices(catalogue: Catalogue, root: string, origin: string): ExportedNode[] {
  const paths = new RegistryPaths(root);
  const nodes: ExportedNode[] = [];
  for (const instance of catalogue.instances.values()) {
    if (instance.protocol !== "dubbo" || instance.state !== "ready" || instance.nodeId.startsWith(mirrored)) continue;
    const node = catalogue.nodes.get(instance.nodeId);
    if (node === undefined) continue;
    const { interface: name, version, group, methods, weight, port } = instance;
    const url = providerUrl({
      interface: name,
      protocol: "dubbo",
      address: node.address,
      // A time would change with each restart; without one there is no warm-up.
      startedMs: 0,
      port,
      version,
      group,
      methods,
      application: node.app,
      weight,
      origin,
    });
    nodes.push({ path: paths.node(name, "providers", url), data: "" });
  }
  return nodes.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
