import { createHash } from "node:crypto";
import { javaPayloadClass } from "./application-instance.ts";
import { type ExportedProvider, originParameter, providerParameters } from "./provider.ts";

/** One process of the mesh as Dubbo 3 has it: an instance of an application, and what all with its revision serve. */
export interface ExportedApplication {
  readonly application: string;
  readonly address: string;
  readonly port: number;
  /** Of the metadata: another one for another content. */
  readonly revision: string;
  readonly instanceMetadata: Readonly<Record<string, string>>;
  /** Data of the instance in ZooKeeper: a ServiceInstance of Curator's. */
  readonly instance: string;
  /** Data of the revision: a MetadataInfo. */
  readonly metadata: string;
  readonly interfaces: readonly string[];
}

function serviceKey({ interface: name, group, version }: ExportedProvider): string {
  return `${group === "" ? "" : `${group}/`}${name}${version === "" ? "" : `:${version}`}:dubbo`;
}

function serviceInfo(provider: ExportedProvider) {
  const { interface: name, group, version, port } = provider;
  const params = Object.fromEntries(providerParameters(provider));
  for (const instanceWide of ["category", "dynamic", "timestamp", "dubbo.tag", "weight"]) delete params[instanceWide];
  return {
    name,
    ...(group === "" ? {} : { group }),
    ...(version === "" ? {} : { version }),
    protocol: "dubbo",
    port,
    path: name,
    params,
  };
}

function revisionOf(application: string, services: object): string {
  return createHash("md5")
    .update(JSON.stringify([application, services]))
    .digest("hex");
}

function metadataOf(revision: string, first: ExportedProvider): Readonly<Record<string, string>> {
  const { port, weight, startedMs, origin, tag = "" } = first;
  return {
    "dubbo.endpoints": JSON.stringify([{ port, protocol: "dubbo" }]),
    "dubbo.metadata.revision": revision,
    // Consumers look for what it serves in the registry, and do not ask the instance.
    "dubbo.metadata.storage-type": "remote",
    ...(tag === "" ? {} : { "dubbo.tag": tag }),
    [originParameter]: origin,
    timestamp: String(startedMs),
    weight: String(weight),
  };
}

function serviceInstance(
  application: string,
  { address, port, startedMs }: ExportedProvider,
  metadata: Readonly<Record<string, string>>,
): string {
  const id = `${address}:${port}`;
  const payload = { "@class": javaPayloadClass, id, name: application, metadata };
  return JSON.stringify({
    name: application,
    id,
    address,
    port,
    sslPort: null,
    payload,
    registrationTimeUTC: startedMs,
    serviceType: "DYNAMIC",
    uriSpec: null,
  });
}

/** The mesh's providers as instances of applications, so that consumers that prefer applications to interfaces find them. */
export function exportedApplications(providers: readonly ExportedProvider[]): ExportedApplication[] {
  const byInstance = Map.groupBy(providers, ({ application, address, port }) => `${application} ${address}:${port}`);
  return [...byInstance.values()].map((served) => {
    const first = served[0]!;
    const { application, address, port } = first;
    const infos = served.map((provider) => [serviceKey(provider), serviceInfo(provider)] as const);
    const services = Object.fromEntries(infos.toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const revision = revisionOf(application, services);
    const instanceMetadata = metadataOf(revision, first);
    return {
      application,
      address,
      port,
      revision,
      instanceMetadata,
      instance: serviceInstance(application, first, instanceMetadata),
      metadata: JSON.stringify({ app: application, revision, services }),
      interfaces: [...new Set(served.map((provider) => provider.interface))],
    };
  });
}
