import type { Balancer, WeightedHost } from "./balancer.ts";
import type { ClusterConfig, HostHealth } from "./cluster-config.ts";
import { createBalancer } from "./create-balancer.ts";
import { EdfSchedule } from "./edf-schedule.ts";
import type { HostChoice } from "./host-choice.ts";
import type { Host } from "./host.ts";
import { zoneAware, type ZoneContext } from "./zone-aware.ts";
import { type PriorityHealth, type PriorityLoad, priorityLoads } from "./priority-load.ts";

/** One host of a snapshot. */
export interface HostEntry extends WeightedHost {
  readonly host: Host;
  readonly weight: number;
  /** As the assignment says. */
  readonly health: HostHealth;
  /** `region/zone/subzone`. */
  readonly locality: string;
  readonly localityWeight: number;
  /** It is not assigned any more, and stays until its health check fails. @default false */
  readonly unassigned?: boolean;
}

export interface HostSetContext {
  readonly random: () => number;
  readonly now: () => number;
  /** Where this proxy is. @default not known */
  readonly zone?: ZoneContext | undefined;
}

/** The health that counts: each of assignment, health check, outlier detection and the host itself can say no. */
export function healthOf({ host, health }: HostEntry): HostHealth {
  if (health !== "draining" && (host.ejected || host.failedCheck || host.leaving)) return "unhealthy";
  return health === "healthy" && host.degradedByCheck ? "degraded" : health;
}

interface Level {
  readonly entries: readonly HostEntry[];
  readonly healthy: Balancer;
  readonly degraded: Balancer;
  /** For panic. */
  readonly any: Balancer;
}

/** Who gets how much of the load, by priority, and who chooses among its hosts. */
interface Plan {
  readonly health: readonly PriorityHealth[];
  readonly load: PriorityLoad;
  readonly levels: readonly Level[];
  /** When there is nothing to decide but the host. */
  readonly only: Balancer | undefined;
}

/** The hosts of a cluster at one moment, and who chooses among them. Immutable; a request keeps the hosts it chose. */
export class HostSet {
  readonly entries: readonly HostEntry[];
  readonly healthy: number;
  readonly degraded: number;
  readonly excluded: number;
  readonly #config: ClusterConfig;
  readonly #context: HostSetContext;
  /** Made when it is first chosen from: of many clusters few are called. */
  #plan: Plan | undefined;
  #byKey: ReadonlyMap<string, Host> | undefined;

  constructor(entries: readonly HostEntry[], config: ClusterConfig, context: HostSetContext) {
    this.entries = entries;
    this.#config = config;
    this.#context = context;
    this.healthy = countOf(entries, "healthy");
    this.degraded = countOf(entries, "degraded");
    this.excluded = countExcluded(entries);
  }

  isHealthy(entry: HostEntry): boolean {
    return healthOf(entry) === "healthy";
  }

  /** Of each priority. */
  get health(): readonly PriorityHealth[] {
    return this.#planned().health;
  }

  get load(): PriorityLoad {
    return this.#planned().load;
  }

  /** By `address:port`. */
  get byKey(): ReadonlyMap<string, Host> {
    return (this.#byKey ??= new Map(this.entries.map(({ host }) => [host.key, host])));
  }

  /** Whether a part of the requests is sent to hosts whatever their health. */
  get panic(): boolean {
    const { load } = this;
    return load.panic.some((panic, p) => panic && (load.healthy[p] ?? 0) > 0);
  }

  pick(choice?: HostChoice): Host | undefined {
    const plan = this.#planned();
    const balancer =
      plan.only !== undefined && choice?.avoidPriorities === undefined ? plan.only : this.#choose(choice, plan);
    const { avoid, avoidAttempts = 0 } = choice ?? {};
    let host = balancer?.pick(choice);
    for (let i = 1; i <= avoidAttempts && host !== undefined && avoid?.has(host) === true; i++)
      host = balancer?.pick(choice, i);
    return host;
  }

  #planned(): Plan {
    return (this.#plan ??= createPlan(this.entries, this.#config, this.#context));
  }

  #choose(choice: HostChoice | undefined, plan: Plan): Balancer | undefined {
    const load = this.#loadWithout(choice?.avoidPriorities, plan);
    // By the hash where there is one: the same key must find the same priority.
    let point = choice?.hash === undefined ? this.#context.random() * 100 : Number(choice.hash % 100n);
    for (const [p, share] of load.healthy.entries()) {
      point -= share;
      if (point < 0) return load.panic[p] === true ? plan.levels[p]?.any : plan.levels[p]?.healthy;
    }
    for (const [p, share] of load.degraded.entries()) {
      point -= share;
      if (point < 0) return load.panic[p] === true ? plan.levels[p]?.any : plan.levels[p]?.degraded;
    }
    return undefined;
  }

  #loadWithout(avoid: ReadonlySet<number> | undefined, { load, health }: Plan): PriorityLoad {
    if (avoid === undefined || avoid.size === 0) return load;
    const rest = health.map((level, p) => (avoid.has(p) ? { total: 0, healthy: 0, degraded: 0 } : level));
    if (rest.every((level) => level.total === 0)) return load;
    return priorityLoads(rest, this.#config.overprovisioningPercent, this.#config.healthyPanicPercent);
  }
}

/** Those that are draining are not chosen, whatever else is said of them. */
function countOf(entries: readonly HostEntry[], health: HostHealth): number {
  let count = 0;
  for (const entry of entries) if (healthOf(entry) === health) count++;
  return count;
}

function countExcluded(entries: readonly HostEntry[]): number {
  let count = 0;
  for (const { host } of entries) if (host.excluded) count++;
  return count;
}

function createPlan(entries: readonly HostEntry[], config: ClusterConfig, context: HostSetContext): Plan {
  const candidates = entries.filter((entry) => entry.health !== "draining");
  const last = candidates.reduce((max, { host }) => Math.max(max, host.priority), 0);
  const byPriority = Array.from({ length: last + 1 }, (_level, p) =>
    candidates.filter(({ host }) => host.priority === p),
  );
  const health = byPriority.map((level) => ({
    total: level.length,
    healthy: countOf(level, "healthy"),
    degraded: countOf(level, "degraded"),
    excluded: countExcluded(level),
  }));
  const load = priorityLoads(health, config.overprovisioningPercent, config.healthyPanicPercent);
  const levels = byPriority.map((level, p) => createLevel(level, p, load.panic[p] === true, config, context));
  const only = load.healthy[0] === 100 && load.panic[0] !== true ? levels[0]?.healthy : undefined;
  return { health, load, levels, only };
}

function createLevel(
  entries: readonly HostEntry[],
  priority: number,
  panic: boolean,
  config: ClusterConfig,
  context: HostSetContext,
): Level {
  const of = (health: HostHealth): Balancer =>
    balance(
      entries.filter((entry) => healthOf(entry) === health),
      entries,
      config,
      context,
    );
  return {
    entries,
    // As in Envoy zones are looked at in the first priority only.
    healthy: priority === 0 ? inZones(entries, of("healthy"), config, context) : of("healthy"),
    degraded: of("degraded"),
    any:
      panic && config.zoneAware?.failsOnPanic !== true
        ? balance(entries, entries, config, context)
        : { pick: () => undefined },
  };
}

function inZones(
  entries: readonly HostEntry[],
  all: Balancer,
  config: ClusterConfig,
  context: HostSetContext,
): Balancer {
  const { zoneAware: routing, balancing } = config;
  const { zone, random } = context;
  if (routing === undefined || zone === undefined || balancing.name === "ring_hash" || balancing.name === "maglev")
    return all;
  const usable = entries.filter((entry) => healthOf(entry) === "healthy");
  const of = (some: readonly HostEntry[]): Balancer => createBalancer(some, { ...balancing, ...context });
  return zoneAware(usable, all, of, routing, zone, random);
}

/** @param all of the priority, whatever their health: a locality with few healthy hosts gets less */
function balance(
  usable: readonly HostEntry[],
  all: readonly HostEntry[],
  config: ClusterConfig,
  context: HostSetContext,
): Balancer {
  const options = { ...config.balancing, ...context };
  if (!config.localityWeighted || usable.length === 0) return createBalancer(usable, options);
  const localities = new Map<string, HostEntry[]>();
  for (const entry of usable) localities.set(entry.locality, [...(localities.get(entry.locality) ?? []), entry]);
  const parts = [...localities].flatMap(([locality, entries]) => {
    const total = all.filter((entry) => entry.locality === locality).length;
    const available = Math.min(1, ((entries.length / total) * config.overprovisioningPercent) / 100);
    const weight = (entries[0]?.localityWeight ?? 0) * available;
    return weight > 0 ? [{ entries, weight }] : [];
  });
  if (options.name === "ring_hash" || options.name === "maglev") return createBalancer(spread(parts), options);
  const schedule = new EdfSchedule<{ readonly weight: number; readonly balancer: Balancer }>();
  for (const { entries, weight } of parts) schedule.add({ weight, balancer: createBalancer(entries, options) }, weight);
  return { pick: (choice, attempt) => schedule.pick((part) => part.weight)?.balancer.pick(choice, attempt) };
}

/** One table for all localities: each host's share of its locality's weight. */
function spread(parts: readonly { readonly entries: readonly HostEntry[]; readonly weight: number }[]): WeightedHost[] {
  return parts.flatMap(({ entries, weight }) => {
    const total = entries.reduce((sum, entry) => sum + entry.weight, 0);
    return entries.map(({ host, weight: own }) => ({ host, weight: (weight * own) / total }));
  });
}
