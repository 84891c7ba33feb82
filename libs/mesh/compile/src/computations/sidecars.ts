import { computation } from "@fairlead/incremental";
import { type Sidecar, typedPolicy } from "@fairlead/policy";
import { compareText } from "../compare-text.ts";
import { isWithin } from "../host-pattern.ts";
import { hasLabels } from "../labels.ts";
import { provenanceOf } from "../service-plan.ts";
import { namespaceOf } from "../viewer.ts";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import { contribution } from "./contribution.ts";
import { all, nodes, sidecarsOfNamespace } from "./facts.ts";
import { resolveHost } from "./host-resolution.ts";
import { type PolicyInUse, policyInUse } from "./policy-in-use.ts";
import { externalPorts } from "./service-entries.ts";
import { allInterfaces } from "./services.ts";

interface SidecarInForce {
  readonly spec: Sidecar;
  readonly namespace: string;
  readonly provenance: ProvenanceEntry;
}

/** Key: that of the policy. */
export const sidecar = contribution<PolicyInUse<SidecarInForce>>(
  "Sidecar",
  (key) => ({ kind: "policy", key }),
  (reading, key) =>
    policyInUse(reading, key, (policy) => {
      const typed = typedPolicy(policy);
      if (typed.kind !== "Sidecar") throw new Error(`${key} is a ${typed.kind}`);
      return { spec: typed.spec, namespace: policy.namespace, provenance: provenanceOf(policy) };
    }),
);

/** The Sidecar of a node: the first of its namespace whose selector it meets, or else the first without one. Key: the node's id. */
export const sidecarOfNode = computation("Sidecar of a node", (reading, id): string | undefined => {
  const node = reading.get(nodes, id);
  if (node === undefined) return undefined;
  const found = reading.get(sidecarsOfNamespace, namespaceOf(node.labels)).flatMap((key) => {
    const selector = reading.get(sidecar, key).use?.spec.workloadSelector?.labels;
    if (reading.get(sidecar, key).use === undefined || !hasLabels(node, selector ?? {})) return [];
    return [{ key, selects: Object.keys(selector ?? {}).length > 0 }];
  });
  return (found.find(({ selects }) => selects) ?? found[0])?.key;
});

export const sidecarInForce = computation("Sidecar in force", (reading, id): Sidecar | undefined => {
  const key = reading.get(sidecarOfNode, id);
  return key === undefined ? undefined : reading.get(sidecar, key).use?.spec;
});

/**
 * What a Sidecar lets its nodes see, in lower case, sorted; undefined = all. A registered service is of every namespace, a host of a
 * ServiceEntry of those of its ServiceEntries. Key: that of the policy.
 */
export const namesOfSidecar = computation("names of a Sidecar", (reading, key): readonly string[] | undefined => {
  const { use } = reading.get(sidecar, key);
  if (use === undefined || use.spec.egress.length === 0) return undefined;
  const patterns = use.spec.egress
    .flatMap(({ hosts }) => hosts)
    .map((text) => {
      const slash = text.indexOf("/");
      const namespace = text.slice(0, slash);
      const host = text.slice(slash + 1).toLowerCase();
      return { namespace: namespace === "." ? use.namespace : namespace, host };
    })
    .filter(({ namespace }) => namespace !== "~");
  if (patterns.some(({ namespace, host }) => namespace === "*" && host === "*")) return undefined;
  const names = patterns.flatMap(({ namespace, host }) => {
    const candidates = host.startsWith("*")
      ? reading.get(allInterfaces, all).filter((name) => isWithin(name, host))
      : [resolveHost(reading, host, use.namespace)];
    if (namespace === "*") return candidates;
    return candidates.filter((name) => {
      const external = reading.get(externalPorts, name);
      return external.length === 0 || external.some((port) => port.namespace === namespace);
    });
  });
  return [...new Set(names)].toSorted(compareText);
});
