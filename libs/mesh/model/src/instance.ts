import type { Protocol } from "./service.ts";

/**
 * - `warming`: registered; its own proxy is being configured, nobody is sent there yet
 * - `ready`: callers are sent there
 * - `draining`: callers are no longer sent there; its own proxy still serves what is under way
 */
export type InstanceState = "warming" | "ready" | "draining";

/** One publication of a service by a node. */
export interface Instance {
  readonly nodeId: string;
  readonly interface: string;
  readonly protocol: Protocol;
  /** The application's own port. */
  readonly port: number;
  readonly version: string;
  readonly group: string;
  readonly methods: readonly string[];
  /** What a DestinationRule's subsets select by. A non-empty `version` or `group` is in here too, unless set otherwise. */
  readonly labels: Readonly<Record<string, string>>;
  /** Relative share of calls, 1 to 10000. 100 = normal. */
  readonly weight: number;
  readonly state: InstanceState;
}

/** One node publishes a service, version and group once a port. */
export function instanceKey(
  instance: Pick<Instance, "nodeId" | "protocol" | "interface" | "version" | "group" | "port">,
): string {
  const { nodeId, protocol, interface: name, version, group, port } = instance;
  return [nodeId, protocol, name, group, version, String(port)].join("|");
}
