import { BlockList, isIP } from "node:net";
import type { Provider } from "@fairlead/dubbo-registry";
import type { Instance, MeshNode } from "@fairlead/model";
import { reservedInterface } from "@fairlead/registration";

/** What of a provider's URL subsets may select by, besides version and group. */
const keptParameters = ["application", "cluster", "dubbo.tag", "environment", "region", "zone"];
const labelValue = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const tag = /^[A-Za-z0-9._-]{0,128}$/;
const interfaceName = /^[A-Za-z0-9_]([A-Za-z0-9_.$-]{0,251}[A-Za-z0-9_])?$/;
/** As the mesh's own nodes and publications have them; control characters are what databases refuse. */
const appName = /^[\p{L}\p{N}\p{P}\p{S} ]{1,255}$/u;
const methodName = /^[\p{L}\p{N}\p{P}\p{S}]{1,255}$/u;
/** What no provider can be reached at by others. Metadata services of clouds are among them: nobody is sent there by a registry. */
const unreachable = new BlockList();
unreachable.addSubnet("0.0.0.0", 8);
unreachable.addSubnet("169.254.0.0", 16);
unreachable.addSubnet("224.0.0.0", 3);
unreachable.addAddress("::", "ipv6");
unreachable.addSubnet("fe80::", 10, "ipv6");
unreachable.addSubnet("ff00::", 8, "ipv6");

/** Begins the ids of the nodes that stand for the hosts of a mirrored registry. */
export function mirroredPrefix(registry: string): string {
  return `registry~${registry}~`;
}

/** The registry that a node was read from; undefined for a node of the mesh itself. */
export function mirroredRegistry(nodeId: string): string | undefined {
  return /^registry~([^~]+)~/.exec(nodeId)?.[1];
}

/** An instance of the mesh, and the node that it is at. */
export interface Mirrored {
  readonly node: MeshNode;
  readonly instance: Instance;
}

const known = new WeakMap<Provider, { readonly registry: string; readonly mirrored: Mirrored | undefined }>();

/** Of addresses that were asked about: a host has many providers, and the question is most of what one costs. */
const callable = new Map<string, boolean>();
const maxCallable = 10_000;
const maxAddressLength = 45;

/** Whether a registry may send proxies, or this process, to an address: an IP address, as proxies do not resolve endpoints. */
export function isCallable(address: string): boolean {
  const before = callable.get(address);
  if (before !== undefined) return before;
  const family = isIP(address);
  const found = family !== 0 && !address.includes("%") && !unreachable.check(address, family === 4 ? "ipv4" : "ipv6");
  if (callable.size >= maxCallable) callable.clear();
  // What is no address, or one with a zone, may be as long as a registry likes.
  if (address.length <= maxAddressLength) callable.set(address, found);
  return found;
}

/** @returns undefined for a name, version or address that the mesh does not allow, and for one that wants no calls */
export function mirroredInstance(provider: Provider, registry: string): Mirrored | undefined {
  const before = known.get(provider);
  if (before?.registry === registry) return before.mirrored;
  const mirrored = mirror(provider, registry);
  known.set(provider, { registry, mirrored });
  return mirrored;
}

function mirror(provider: Provider, registry: string): Mirrored | undefined {
  const {
    interface: name,
    protocol,
    address,
    port,
    version,
    group,
    weight,
    enabled,
    application,
    parameters,
  } = provider;
  if (!enabled || weight === 0) return undefined;
  if (reservedInterface(name) !== undefined) return undefined;
  if (!interfaceName.test(name) || !tag.test(version) || !tag.test(group) || !isCallable(address)) return undefined;
  const labels: Record<string, string> = {};
  const keep = (key: string, value: string | undefined) => {
    if (value !== undefined && labelValue.test(value)) labels[key] = value;
  };
  for (const key of keptParameters) keep(key, parameters.get(key));
  keep("version", version);
  keep("group", group);
  const node: MeshNode = {
    id: `${mirroredPrefix(registry)}${address}`,
    app: appName.test(application) ? application : "unknown",
    address,
    labels: { registry },
  };
  const methods = provider.methods.slice(0, 1000).filter((method) => methodName.test(method));
  const instance: Instance = { nodeId: node.id, interface: name, protocol, port, version, group, methods, labels, weight, state: "ready" }; // prettier-ignore
  return { node, instance };
}

/** What is in the mesh of a provider, when only the mesh knows it: after another process has mirrored it. */
export function providerOfInstance(instance: Instance, registry: string): Provider {
  const { interface: name, protocol, port, version, group, methods, weight, labels } = instance;
  return {
    interface: name,
    protocol,
    address: instance.nodeId.slice(mirroredPrefix(registry).length),
    port,
    version,
    group,
    methods,
    application: labels["application"] ?? "",
    weight,
    enabled: true,
    parameters: new Map(Object.entries(labels)),
  };
}
