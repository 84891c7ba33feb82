import { z } from "zod";
import { type Provider, providerOf } from "./provider.ts";

/*
 * Dubbo 3's application-level registration: an application's instances are in ZooKeeper, what each of them serves is in its metadata,
 * which is either in ZooKeeper too (`remote`) or asked of the instance itself (`local`).
 */
export const javaPayloadClass = "org.apache.dubbo.registry.zookeeper.ZookeeperInstance";

const instanceSchema = z.object({
  name: z.string(),
  id: z.string(),
  address: z.string(),
  port: z.number().int().min(1).max(65_535),
  enabled: z.boolean().default(true),
  payload: z.object({ "@class": z.string(), metadata: z.record(z.string(), z.string()).default({}) }),
});
const endpointsSchema = z.array(z.object({ port: z.number().int().min(1).max(65_535), protocol: z.string() }));

/** One process of an application. */
export interface ApplicationInstance {
  readonly application: string;
  readonly address: string;
  readonly port: number;
  readonly enabled: boolean;
  /** What it serves has this revision; undefined: it serves nothing. */
  readonly revision: string | undefined;
  /** `local`: only the instance itself knows what it serves. */
  readonly storage: "local" | "remote";
  /** Ports by protocol. */
  readonly ports: ReadonlyMap<string, number>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** @returns undefined for another framework's instance (Spring Cloud writes the same tree), and for what cannot be read */
export function parseApplicationInstance(data: string): ApplicationInstance | undefined {
  const parsed = instanceSchema.safeParse(parseJson(data));
  if (!parsed.success || parsed.data.payload["@class"] !== javaPayloadClass) return undefined;
  const { name, address, port, enabled, payload } = parsed.data;
  return applicationFactsOf({ application: name, address, port, enabled, metadata: payload.metadata });
}

/** What an instance's metadata say, in whatever registry it is. */
export function applicationFactsOf(
  facts: Pick<ApplicationInstance, "application" | "address" | "port" | "enabled" | "metadata">,
): ApplicationInstance {
  const { metadata } = facts;
  const revision = metadata["dubbo.metadata.revision"];
  const endpoints = endpointsSchema.safeParse(parseJson(metadata["dubbo.endpoints"] ?? "[]"));
  return {
    ...facts,
    revision: revision === undefined || revision === "0" ? undefined : revision,
    storage: metadata["dubbo.metadata.storage-type"] === "remote" ? "remote" : "local",
    ports: new Map((endpoints.success ? endpoints.data : []).map((endpoint) => [endpoint.protocol, endpoint.port])),
  };
}

const metadataSchema = z.object({
  app: z.string(),
  revision: z.string(),
  services: z.record(
    z.string(),
    z.object({
      name: z.string(),
      group: z.string().nullish(),
      version: z.string().nullish(),
      protocol: z.string(),
      port: z.number().int().optional(),
      params: z.record(z.string(), z.string()).default({}),
    }),
  ),
});

/** What each instance with one revision of an application serves. */
export type ApplicationMetadata = z.output<typeof metadataSchema>;

/** @returns undefined for what cannot be read */
export function parseApplicationMetadata(data: string): ApplicationMetadata | undefined {
  return readApplicationMetadata(parseJson(data));
}

/** The same from a value: an instance's own answer. */
export function readApplicationMetadata(value: unknown): ApplicationMetadata | undefined {
  const parsed = metadataSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** The providers that an instance is, by its application's metadata. */
export function providersOf(instance: ApplicationInstance, metadata: ApplicationMetadata): Provider[] {
  return Object.values(metadata.services).flatMap((service) => {
    const parameters = new Map(Object.entries({ ...service.params, application: instance.application }));
    if (service.group !== null && service.group !== undefined) parameters.set("group", service.group);
    if (service.version !== null && service.version !== undefined) parameters.set("version", service.version);
    for (const [name, value] of Object.entries(instance.metadata))
      if (!name.startsWith("dubbo.metadata")) parameters.set(name, value);
    const port = instance.ports.get(service.protocol) ?? service.port ?? instance.port;
    const url = { scheme: service.protocol, host: instance.address, port, path: service.name, parameters };
    const provider = providerOf(url, service.name);
    return provider === undefined ? [] : [{ ...provider, enabled: provider.enabled && instance.enabled }];
  });
}

/** Where an instance that keeps its metadata itself is asked for it; undefined where it says nothing that can be used. */
export function metadataServiceOf({ address, metadata }: ApplicationInstance): MetadataService | undefined {
  const parsed = z
    .record(z.string(), z.unknown())
    .safeParse(parseJson(metadata["dubbo.metadata-service.url-params"] ?? ""));
  if (!parsed.success) return undefined;
  // Before 3.0.3 there was one map for each protocol.
  const nested = Object.entries(parsed.data).find(([, value]) => typeof value === "object" && value !== null);
  const flat = nested === undefined ? parsed.data : { protocol: nested[0], ...(nested[1] as object) };
  const service = metadataServiceSchema.safeParse(flat);
  return service.success ? { address, ...service.data } : undefined;
}

const metadataServiceSchema = z.object({
  protocol: z.string().default("dubbo"),
  port: z.coerce.number().int().min(1).max(65_535),
  version: z.string().default("1.0.0"),
});

export interface MetadataService {
  readonly address: string;
  readonly port: number;
  /** `dubbo` or `tri`. */
  readonly protocol: string;
  readonly version: string;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
