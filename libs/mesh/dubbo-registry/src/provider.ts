import type { Protocol } from "@fairlead/model";
import { type DubboUrl, formatDubboUrl, parseDubboUrl } from "./dubbo-url.ts";

/** One provider of an interface, as its URL says. */
export interface Provider {
  readonly interface: string;
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  /** "" for none. */
  readonly version: string;
  /** "" for none. */
  readonly group: string;
  readonly methods: readonly string[];
  readonly application: string;
  /** Relative share of calls; 0 = none. 100 is normal. */
  readonly weight: number;
  /** False: registered, and to be left alone. */
  readonly enabled: boolean;
  /** All parameters of the URL. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Marks what a mesh has written into a registry, with the mesh's name: nobody reads it back, so that nothing goes round. */
export const originParameter = "mesh.origin";

const protocols: ReadonlyMap<string, Protocol> = new Map([
  ["dubbo", "dubbo"],
  ["tri", "grpc"],
  ["grpc", "grpc"],
  ["rest", "http"],
  ["http", "http"],
]);
const defaultWeight = 100;
const largestWeight = 10_000;

/**
 * @param name of the folder that the URL is in; the URL's own `interface` wins
 * @returns undefined for what is no provider, or of a protocol that the mesh does not speak
 */
export function providerOf(url: DubboUrl, name: string): Provider | undefined {
  const { host, port, parameters } = url;
  const protocol = protocols.get(url.scheme);
  if (protocol === undefined || port === 0 || host === "" || host === "0.0.0.0") return undefined;
  const version = parameters.get("version") ?? "";
  const methods = (parameters.get("methods") ?? "").split(",").filter((method) => method !== "" && method !== "*");
  return {
    interface: parameters.get("interface") ?? name,
    protocol,
    address: host,
    port,
    version: version === "0.0.0" ? "" : version,
    group: parameters.get("group") ?? "",
    methods,
    application: parameters.get("application") ?? "",
    weight: weightOf(parameters.get("weight")),
    enabled: parameters.get("enabled") !== "false" && parameters.get("disabled") !== "true",
    parameters,
  };
}

function weightOf(text: string | undefined): number {
  const weight = Number(text ?? defaultWeight);
  return Number.isInteger(weight) && weight >= 0 ? Math.min(weight, largestWeight) : defaultWeight;
}

/** @param text a decoded name of a node in `providers` */
export function parseProvider(text: string, name: string): Provider | undefined {
  const url = parseDubboUrl(text);
  return url === undefined ? undefined : providerOf(url, name);
}

/** What the mesh tells a registry about an instance of its own. */
export interface ExportedProvider {
  readonly interface: string;
  readonly protocol: "dubbo" | "grpc";
  /** Where consumers outside the mesh reach it: its sidecar. */
  readonly address: string;
  readonly port: number;
  readonly version: string;
  readonly group: string;
  readonly methods: readonly string[];
  /** `dubbo.tag`; "" for none. */
  readonly tag?: string;
  readonly application: string;
  readonly weight: number;
  /** Ms since the epoch: consumers warm a provider up from then on. */
  readonly startedMs: number;
  /** Of this mesh. */
  readonly origin: string;
}

/** As Dubbo 2.7 and 3 read it. */
export function providerUrl(provider: ExportedProvider): string {
  const { interface: name, protocol, address, port } = provider;
  const parameters = providerParameters(provider);
  return formatDubboUrl({ scheme: protocol === "grpc" ? "tri" : "dubbo", host: address, port, path: name, parameters });
}

export function providerParameters(provider: ExportedProvider): Map<string, string> {
  const { interface: name, version, group, methods, application, weight, startedMs, origin, tag = "" } = provider;
  const parameters = new Map<string, string>([
    ["anyhost", "true"],
    ["application", application],
    ["category", "providers"],
    ["dubbo", "2.0.2"],
    ["dynamic", "true"],
    ["generic", "false"],
    ["interface", name],
    ["methods", methods.length === 0 ? "*" : methods.join(",")],
    ["side", "provider"],
    ["timestamp", String(startedMs)],
    ["weight", String(weight)],
    [originParameter, origin],
  ]);
  if (version !== "") parameters.set("version", version);
  if (group !== "") parameters.set("group", group);
  if (tag !== "") parameters.set("dubbo.tag", tag);
  return parameters;
}

/** A provider as it would be with these parameters: what configurators change. */
export function withParameters(provider: Provider, parameters: ReadonlyMap<string, string>): Provider {
  const weight = parameters.get("weight");
  const enabled = parameters.get("enabled") !== "false" && parameters.get("disabled") !== "true";
  return { ...provider, parameters, enabled, weight: weight === undefined ? provider.weight : weightOf(weight) };
}

/** A consumer's URL, so that the registry shows who calls. */
export function consumerUrl(consumer: {
  readonly interface: string;
  readonly address: string;
  readonly application: string;
  readonly startedMs: number;
  readonly origin: string;
}): string {
  const { interface: name, address, application, startedMs, origin } = consumer;
  const parameters = new Map<string, string>([
    ["application", application],
    ["category", "consumers"],
    ["check", "false"],
    ["dubbo", "2.0.2"],
    ["interface", name],
    ["side", "consumer"],
    ["timestamp", String(startedMs)],
    [originParameter, origin],
  ]);
  return formatDubboUrl({ scheme: "consumer", host: address, port: 0, path: name, parameters });
}
