import type { ServiceEntry, ServiceEntryPort } from "@fairlead/policy";
import type { LocatedEndpoint } from "./locality-endpoints.ts";

/** A port of a ServiceEntry's host, with who answers there. */
export interface ExternalSource {
  readonly host: string;
  readonly entry: ServiceEntry;
  readonly port: ServiceEntryPort;
}

/** Whether the addresses are known: they come by EDS. Otherwise DNS has them. */
export function isStatic({ entry }: ExternalSource): boolean {
  return entry.resolution === "STATIC";
}

/** The endpoints of a subset, in the order of the entry. Without any in the entry, DNS resolves the host. */
export function externalEndpoints(
  { host, entry, port }: ExternalSource,
  labels: Readonly<Record<string, string>>,
): LocatedEndpoint[] {
  const own = port.targetPort ?? port.number;
  if (entry.endpoints.length === 0) {
    return entry.resolution === "STATIC" ? [] : [{ address: host, port: own, weight: 1, locality: "" }];
  }
  return entry.endpoints
    .filter((endpoint) => Object.entries(labels).every(([name, value]) => endpoint.labels[name] === value))
    .map((endpoint) => ({
      address: endpoint.address,
      port: endpoint.ports[port.name] ?? own,
      weight: endpoint.weight ?? 1,
      locality: endpoint.locality ?? "",
      labels: endpoint.labels,
    }));
}
