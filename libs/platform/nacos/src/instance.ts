import { z } from "zod";

const hostSchema = z.object({
  ip: z.string().min(1),
  port: z.number().int().min(0).max(65_535),
  weight: z.number().default(1),
  healthy: z.boolean().default(true),
  enabled: z.boolean().default(true),
  ephemeral: z.boolean().default(true),
  clusterName: z.string().nullish(),
  metadata: z.record(z.string(), z.string().nullable()).nullish(),
});
const serviceInfoSchema = z.object({
  name: z.string(),
  groupName: z.string().nullish(),
  hosts: z.array(z.unknown()).nullish(),
  lastRefTime: z.number().default(0),
});

/** One instance of a service, as Nacos has it. */
export interface NacosInstance {
  readonly ip: string;
  readonly port: number;
  /** Relative share of calls; 1 is normal, 0 = none. */
  readonly weight: number;
  /** It gives signs of life, or the server lets all be called as too few do. */
  readonly healthy: boolean;
  /** False: taken out by an operator. */
  readonly enabled: boolean;
  /** It is there as long as its client's connection. */
  readonly ephemeral: boolean;
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A service with all its instances, at one time. */
export interface ServiceInfo {
  /** Without its group. */
  readonly name: string;
  readonly group: string;
  readonly instances: readonly NacosInstance[];
  /** The server's clock, in ms: of two, the later one counts. */
  readonly atMs: number;
  /** Entries that are no instances. */
  readonly unreadable: number;
}

/** @returns undefined for what is no service */
export function readServiceInfo(value: unknown): ServiceInfo | undefined {
  const parsed = serviceInfoSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { name, groupName, hosts, lastRefTime } = parsed.data;
  const instances: NacosInstance[] = [];
  for (const host of hosts ?? []) {
    const read = hostSchema.safeParse(host);
    if (!read.success) continue;
    const { clusterName, metadata, ...facts } = read.data;
    const known = Object.entries(metadata ?? {}).filter((entry): entry is [string, string] => entry[1] !== null);
    instances.push({ ...facts, cluster: clusterName ?? "DEFAULT", metadata: Object.fromEntries(known) });
  }
  // Some answers have `group@@name`.
  const bare = name.slice(name.lastIndexOf("@@") === -1 ? 0 : name.lastIndexOf("@@") + 2);
  return {
    name: bare,
    group: groupName ?? "DEFAULT_GROUP",
    instances,
    atMs: lastRefTime,
    unreadable: (hosts?.length ?? 0) - instances.length,
  };
}

/** What a client registers. */
export type RegisteredInstance = Pick<NacosInstance, "ip" | "port" | "weight" | "metadata">;

/** As requests have it. */
export function instanceBody(instance: RegisteredInstance, serviceName: string): Readonly<Record<string, unknown>> {
  const { ip, port, weight, metadata } = instance;
  return { ip, port, weight, metadata, serviceName, healthy: true, enabled: true, ephemeral: true, clusterName: "DEFAULT" }; // prettier-ignore
}
