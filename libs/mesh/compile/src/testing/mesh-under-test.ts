import type { JsonValue } from "@bufbuild/protobuf";
import {
  CatalogueReplica,
  type Instance,
  instanceKey,
  type MeshNode,
  policyKey,
  type Protocol,
  serviceKey,
  subscriptionKey,
} from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";
import { compile, type CompiledMesh } from "../index.ts";
import { jsonOf } from "./json-of.ts";

export interface MeshParts {
  readonly policies?: string;
  /** Registered over http, unless a protocol is given: `shop.A`, `grpc/shop.G`. @default shop.A, shop.B */
  readonly services?: readonly string[];
  readonly nodes?: readonly (Partial<MeshNode> & { readonly id: string })[];
  readonly instances?: readonly (Partial<Instance> & { readonly nodeId: string; readonly interface: string })[];
  readonly subscriptions?: readonly { readonly nodeId: string; readonly interface: string }[];
}

export function meshOf({ policies, services = ["shop.A", "shop.B"], ...parts }: MeshParts): CompiledMesh {
  const catalogue = new CatalogueReplica();
  catalogue.revision = 1;
  for (const text of services) {
    const [name = "", protocol = "http"] = text.split("/").toReversed();
    const service = { interface: name, protocol: protocol as Protocol };
    catalogue.services.set(serviceKey(service), service);
  }
  for (const node of parts.nodes ?? [])
    catalogue.nodes.set(node.id, { app: node.id, address: "10.0.0.1", labels: {}, ...node });
  for (const given of parts.instances ?? []) {
    const instance: Instance = {
      protocol: "http",
      port: 8080,
      version: "",
      group: "",
      methods: [],
      labels: {},
      weight: 100,
      state: "ready",
      ...given,
    };
    catalogue.instances.set(instanceKey(instance), instance);
    catalogue.services.set(serviceKey(instance), { interface: instance.interface, protocol: instance.protocol });
  }
  for (const subscription of parts.subscriptions ?? [])
    catalogue.subscriptions.set(subscriptionKey(subscription), subscription);
  if (policies !== undefined)
    for (const { object } of parsePolicies(policies, { file: "p.yaml" }).policies)
      catalogue.policies.set(policyKey(object), object);
  return compile(catalogue);
}

/** An object of Istio's, its spec in YAML's short form. */
export function policy(kind: string, name: string, spec: string, namespace = "default"): string {
  return `---\napiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`;
}

export interface VirtualHostJson {
  readonly domains: readonly string[];
  readonly routes?: readonly { readonly [field: string]: JsonValue }[];
}

export function virtualHosts(mesh: CompiledMesh, key = "rds/everything/outbound"): readonly VirtualHostJson[] {
  return (jsonOf(mesh, key) as { virtualHosts?: VirtualHostJson[] }).virtualHosts ?? [];
}

/** The routes to a host as the sidecar of a node sees them. @param nodeId none = a node that nobody registered */
export function routesTo(mesh: CompiledMesh, host: string, nodeId?: string): VirtualHostJson["routes"] {
  const scope = nodeId === undefined ? "everything" : mesh.nodes.get(nodeId)!.scopeId;
  return virtualHosts(mesh, `rds/${scope}/outbound`).find(({ domains }) => domains.includes(host.toLowerCase()))
    ?.routes;
}

/** The keys that a node's proxy holds. */
export function viewOf(mesh: CompiledMesh, nodeId: string): ReadonlySet<string> {
  const node = mesh.nodes.get(nodeId)!;
  return new Set([...mesh.scopes.get(node.scopeId)!.keys, ...node.keys]);
}
