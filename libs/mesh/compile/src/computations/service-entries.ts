import { computation } from "@fairlead/incremental";
import type { Protocol } from "@fairlead/model";
import { type PortProtocol, type ServiceEntry, typedPolicy } from "@fairlead/policy";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import type { Callee } from "../callee.ts";
import type { ExternalSource } from "../external-endpoints.ts";
import { provenanceOf, type RejectedObject } from "../service-plan.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { serviceEntriesOfHost } from "./facts.ts";
import { type PolicyInUse, policyInUse } from "./policy-in-use.ts";

/** What a proxy does with it: TLS that the application makes is bytes. */
const protocols: Readonly<Record<PortProtocol, Protocol>> = {
  HTTP: "http",
  HTTP2: "http2",
  GRPC: "grpc",
  HTTPS: "tcp",
  TLS: "tcp",
  TCP: "tcp",
};

export interface EntryInForce {
  readonly entry: ServiceEntry;
  readonly namespace: string;
  readonly provenance: ProvenanceEntry;
}

/** Key: that of the policy. */
export const serviceEntry = contribution<PolicyInUse<EntryInForce>>(
  "ServiceEntry",
  (key) => ({ kind: "policy", key }),
  (reading, key) =>
    policyInUse(reading, key, (policy) => {
      const typed = typedPolicy(policy);
      if (typed.kind !== "ServiceEntry") throw new Error(`${key} is a ${typed.kind}`);
      return { entry: typed.spec, namespace: policy.namespace, provenance: provenanceOf(policy) };
    }),
);

/** A port that a ServiceEntry gives to a host. */
export interface ExternalPort {
  readonly callee: Callee;
  readonly source: ExternalSource;
  readonly namespace: string;
  readonly provenance: ProvenanceEntry;
}

interface HostPorts extends Contribution {
  readonly ports: readonly ExternalPort[];
}

/** The ports of a host, of all its ServiceEntries by namespace and name; a port that two have is the first one's. Key: the host in lower case. */
export const hostPorts = contribution<HostPorts>(
  "ports of a host",
  (key) => ({ kind: "service", key }),
  (reading, name) => {
    const ports = new Map<number, ExternalPort>();
    const rejected: RejectedObject[] = [];
    for (const key of reading.get(serviceEntriesOfHost, name)) {
      const { use } = reading.get(serviceEntry, key);
      const host = use?.entry.hosts.find((candidate) => candidate.toLowerCase() === name);
      if (use === undefined || host === undefined) continue;
      for (const port of use.entry.ports) {
        const first = ports.get(port.number);
        if (first === undefined) {
          const callee = { interface: host, protocol: protocols[port.protocol], port: port.number };
          const { namespace, provenance } = use;
          ports.set(port.number, { callee, source: { host, entry: use.entry, port }, namespace, provenance });
        } else {
          rejected.push(conflict(use.provenance, `port ${port.number} of ${host} is that of ${first.provenance.key}`));
        }
      }
    }
    return { ports: [...ports.values()], rejected };
  },
  () => ({ ports: [] }),
);

export const externalPorts = computation(
  "external ports",
  (reading, name): readonly ExternalPort[] => reading.get(hostPorts, name).ports,
);

/** A part of a policy that another's comes before: the rest of it is in force. */
export function conflict(provenance: ProvenanceEntry, message: string): RejectedObject {
  return { provenance, code: "FL_POLICY_CONFLICT", message: `${provenance.key}: ${message}, which comes first` };
}
