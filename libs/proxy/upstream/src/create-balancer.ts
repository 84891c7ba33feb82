import type { Balancer, WeightedHost } from "./balancer.ts";
import { boundedLoad } from "./bounded-load.ts";
import type { BalancerName } from "./cluster-config.ts";
import { EdfSchedule } from "./edf-schedule.ts";
import type { Host } from "./host.ts";
import { maglev } from "./maglev.ts";
import { ringHash } from "./ring-hash.ts";
import { type SlowStart, slowStartFactor } from "./slow-start.ts";

export interface BalancerOptions {
  readonly name: BalancerName;
  readonly choiceCount: number;
  /** Of least_request: how much requests under way count against a weight. @default 1 */
  readonly activeRequestBias?: number;
  readonly slowStart?: SlowStart | undefined;
  readonly minRingSize?: number;
  readonly maxRingSize?: number;
  readonly tableSize?: number;
  /** Of ring_hash and maglev: how much of the average load a host may have, in percent. @default any */
  readonly hashBalancePercent?: number | undefined;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Monotonic, in milliseconds; for slow start. */
  readonly now?: () => number;
}

export function createBalancer(hosts: readonly WeightedHost[], options: BalancerOptions): Balancer {
  const first = hosts[0];
  if (first === undefined) return { pick: () => undefined };
  const only = hosts.map((entry) => entry.host);
  const { random, slowStart, now = () => 0 } = options;
  switch (options.name) {
    case "random":
      // Ignores weights, as in Envoy.
      return { pick: () => only[Math.floor(random() * only.length)] };
    case "ring_hash": {
      const { minRingSize = 1024, maxRingSize = 8_388_608 } = options;
      return whenAsked(() => bounded(ringHash(hosts, { minRingSize, maxRingSize, random }), hosts, options));
    }
    case "maglev":
      return whenAsked(() =>
        bounded(maglev(hosts, { tableSize: options.tableSize ?? 65_537, random }), hosts, options),
      );
    default:
  }
  const slow = slowStart !== undefined && slowStart.windowMs > 0 ? slowStart : undefined;
  const equal = slow === undefined && hosts.every((entry) => entry.weight === first.weight);
  const weightOf = (entry: WeightedHost): number =>
    slow === undefined ? entry.weight : entry.weight * slowStartFactor(slow, now() - entry.host.readySinceMs);
  if (options.name === "round_robin") return equal ? inTurn(only, random) : weighted(hosts, random, weightOf);
  const bias = options.activeRequestBias ?? 1;
  if (equal) return leastOfChoices(only, options);
  return weighted(hosts, random, (entry) => {
    const active = entry.host.activeRequests + 1;
    return weightOf(entry) / (bias === 1 ? active : active ** bias);
  });
}

function bounded(balancer: Balancer, hosts: readonly WeightedHost[], options: BalancerOptions): Balancer {
  const { hashBalancePercent: percent, random } = options;
  return percent === undefined ? balancer : boundedLoad(balancer, hosts, { percent, random });
}

/** Tables take milliseconds: a cluster that nobody calls, or whose hosts change again before somebody does, does without. */
function whenAsked(create: () => Balancer): Balancer {
  let balancer: Balancer | undefined;
  return { pick: (choice, attempt) => (balancer ??= create()).pick(choice, attempt) };
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
  random: () => number,
  weightOf: (entry: WeightedHost) => number,
): Balancer {
  const schedule = new EdfSchedule<WeightedHost>();
  const offset = Math.floor(random() * hosts.length);
  for (let i = 0; i < hosts.length; i++) {
    const entry = hosts[(i + offset) % hosts.length];
    if (entry !== undefined) schedule.add(entry, weightOf(entry));
  }
  return { pick: () => schedule.pick(weightOf)?.host };
}
