import { exportedApplications, type ExportedProvider, providerUrl, type RegistryPaths } from "@fairlead/dubbo-registry";

/** A node that the mesh has in a ZooKeeper for as long as its session. */
export interface ExportedNode {
  readonly path: string;
  readonly data: string;
}

/** That an application serves an interface: in a list that all share. */
export interface ExportedMapping {
  readonly path: string;
  readonly application: string;
}

export interface ExportedTree {
  /** In the order that they are made in: metadata before who refers to it. */
  readonly nodes: readonly ExportedNode[];
  readonly mappings: readonly ExportedMapping[];
}

/**
 * The mesh's providers as consumers look for them: those that know interfaces, and those of Dubbo 3 that know applications, which do not look
 * at interfaces any more as soon as an application serves one. A name says all of a provider, and the same of it every time, so that replicas and
 * restarts do not make others' consumers connect again.
 */
export function exportedTree(providers: readonly ExportedProvider[], paths: RegistryPaths): ExportedTree {
  const applications = exportedApplications(providers);
  const nodes = new Map<string, string>();
  for (const { application, revision, metadata } of applications)
    nodes.set(paths.metadata(application, revision), metadata);
  for (const provider of providers) nodes.set(paths.node(provider.interface, "providers", providerUrl(provider)), "");
  for (const { application, address, port, instance } of applications)
    nodes.set(paths.instance(application, `${address}:${port}`), instance);
  const mappings = applications.flatMap(({ application, interfaces }) =>
    interfaces.map((name) => ({ path: paths.mapping(name), application })),
  );
  return { nodes: [...nodes].map(([path, data]) => ({ path, data })), mappings };
}
