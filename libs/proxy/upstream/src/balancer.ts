import type { BalancerName } from "./cluster-config.ts";
import { EdfSchedule } from "./edf-schedule.ts";
import type { Host } from "./host.ts";

/** Chooses among the hosts of one snapshot. */
export interface Balancer {
  /** @returns undefined when there is no host */
  pick(): Host | undefined;
}

export interface WeightedHost {
  readonly host: Host;
  readonly weight: number;
}

export interface BalancerOptions {
  readonly name: BalancerName;
  readonly choiceCount: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export function createBalancer(hosts: readonly WeightedHost[], options: BalancerOptions): Balancer {
  const first = hosts[0];
  if (first === undefined) return { pick: () => undefined };
  const only = hosts.map((entry) => entry.host);
  // Random ignores weights, as in Envoy.
  if (options.name === "random") return { pick: () => only[Math.floor(options.random() * only.length)] };
  const equal = hosts.every((entry) => entry.weight === first.weight);
  if (options.name === "least_request") {
    return equal
      ? leastOfChoices(only, options)
      : weighted(hosts, options, (weight, host) => weight / (host.activeRequests + 1));
  }
  return equal ? inTurn(only, options.random) : weighted(hosts, options, (weight) => weight);
}

/** A new snapshot begins anywhere: else each change of endpoints would send the next request to the first host. */
function inTurn(hosts: readonly Host[], random: () => number): Balancer {
  let next = Math.floor(random() * hosts.length);
  return {
    pick() {
      if (next >= hosts.length) next = 0;
      return hosts[next++];
    },
  };
}

function leastOfChoices(hosts: readonly Host[], options: BalancerOptions): Balancer {
  return {
    pick() {
      let best: Host | undefined;
      for (let i = 0; i < options.choiceCount; i++) {
        const host = hosts[Math.floor(options.random() * hosts.length)];
        if (host !== undefined && (best === undefined || host.activeRequests < best.activeRequests)) best = host;
      }
      return best;
    },
  };
}

function weighted(
  hosts: readonly WeightedHost[],
  options: BalancerOptions,
  weightOf: (weight: number, host: Host) => number,
): Balancer {
  const schedule = new EdfSchedule<WeightedHost>();
  const offset = Math.floor(options.random() * hosts.length);
  for (let i = 0; i < hosts.length; i++) {
    const entry = hosts[(i + offset) % hosts.length];
    if (entry !== undefined) schedule.add(entry, weightOf(entry.weight, entry.host));
  }
  const next = (entry: WeightedHost): number => weightOf(entry.weight, entry.host);
  return { pick: () => schedule.pick(next)?.host };
}
