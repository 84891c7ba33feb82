import type { Protocol } from "@fairlead/model";
import { type ApplicationInstance, applicationFactsOf } from "./application-instance.ts";
import { type ExportedProvider, type Provider, providerOf, providerParameters } from "./provider.ts";

/** What Nacos says of an instance. */
export interface NacosFacts {
  readonly ip: string;
  readonly port: number;
  /** 1 is normal. */
  readonly weight: number;
  readonly enabled: boolean;
  readonly healthy: boolean;
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const normalWeight = 100;
const largestWeight = 10_000;
const prefix = "providers:";

/** `providers:<interface>:<version>:<group>`, with empty parts kept, as Dubbo 2.7 and 3 write it. */
export function nacosServiceName({
  interface: name,
  version,
  group,
}: Pick<ExportedProvider, "interface" | "version" | "group">): string {
  return `${prefix}${name}:${version}:${group}`;
}

/** Other categories than providers are of Dubbo's own clients. */
export function isDubboService(name: string): boolean {
  return /^(providers|consumers|routers|configurators):/.test(name);
}

/** Older names leave out empty parts at the end. @returns undefined for what is no provider that the mesh can call */
export function providerInNacos(service: string, facts: NacosFacts): Provider | undefined {
  if (!service.startsWith(prefix)) return undefined;
  const [name = "", version = "", group = ""] = service.slice(prefix.length).split(":");
  const { metadata } = facts;
  const parameters = new Map(Object.entries(metadata));
  if (version !== "" && !parameters.has("version")) parameters.set("version", version);
  if (group !== "" && !parameters.has("group")) parameters.set("group", group);
  const scheme = metadata["protocol"] ?? "dubbo";
  const found = providerOf(
    { scheme, host: facts.ip, port: facts.port, path: metadata["path"] ?? name, parameters },
    name,
  );
  return found === undefined ? undefined : weighted(facts, found);
}

/** An instance of an application of Dubbo 3. @returns undefined for one of another framework */
export function applicationInNacos(service: string, facts: NacosFacts): ApplicationInstance | undefined {
  const { ip, port, enabled, metadata } = facts;
  if (metadata["dubbo.metadata.revision"] === undefined) return undefined;
  return applicationFactsOf({ application: service, address: ip, port, enabled, metadata });
}

/** A service of any other framework: Spring Cloud's, or one that registers by hand. @param protocol where its metadata say none */
export function ordinaryInNacos(service: string, facts: NacosFacts, protocol: Protocol): Provider {
  const { ip, port, metadata, cluster } = facts;
  const parameters = new Map(Object.entries({ ...metadata, cluster }));
  // What of it means the mesh's own fields would split a service.
  const ordinary: Provider = { interface: service, protocol, address: ip, port, version: "", group: "", methods: [], application: service, weight: normalWeight, enabled: true, parameters }; // prettier-ignore
  return weighted(facts, ordinary);
}

/** The registry's own weight is a factor. */
export function weighted({ weight, enabled }: Pick<NacosFacts, "weight" | "enabled">, provider: Provider): Provider {
  const product = Math.min(largestWeight, Math.round(provider.weight * weight));
  return {
    ...provider,
    enabled: provider.enabled && enabled,
    weight: weight > 0 && provider.weight > 0 ? Math.max(1, product) : 0,
  };
}

/** What a provider of the mesh is registered with. */
export function nacosMetadata(provider: ExportedProvider): Readonly<Record<string, string>> {
  const protocol = provider.protocol === "grpc" ? "tri" : "dubbo";
  return {
    ...Object.fromEntries(providerParameters(provider)),
    category: "providers",
    protocol,
    path: provider.interface,
  };
}

/** The items that consumers of a provider look for rules in: `<interface>:<version>:<group>.configurators` and its like. */
export function ruleKeysOf({ interface: name, version, group, application }: Provider): readonly string[] {
  const service = `${name}:${version}:${group}`;
  const ofService = [`${service}.configurators`, `${service}.condition-router`];
  if (application === "") return ofService;
  return [...ofService, ...["configurators", "condition-router", "tag-router"].map((kind) => `${application}.${kind}`)];
}
