import type { HostChoice } from "./host-choice.ts";
import type { Host } from "./host.ts";

/** Chooses among the hosts of one snapshot. */
export interface Balancer {
  /**
   * @param attempt of this request at this choice, from 0: balancing by hash gives the next one
   * @returns undefined when there is no host
   */
  pick(choice?: HostChoice, attempt?: number): Host | undefined;
}

export interface WeightedHost {
  readonly host: Host;
  readonly weight: number;
}
