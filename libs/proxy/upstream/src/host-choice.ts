import type { Host } from "./host.ts";
import type { MetadataMatch } from "./subset-config.ts";

export interface Destination {
  readonly address: string;
  readonly port: number;
}

/** What a request wants of the host that is chosen for it. */
export interface HostChoice {
  /** Requests with the same hash go to the same host, where the cluster balances by hash. */
  readonly hash?: bigint | undefined;
  /** Hosts that failed this request already, or that are not for another attempt. */
  readonly avoid?: Pick<ReadonlySet<Host>, "has">;
  /** How often another one is looked for, when one to avoid was chosen. @default 0 */
  readonly avoidAttempts?: number;
  /** Priorities that failed this request already; looked at again when no other has a host. */
  readonly avoidPriorities?: ReadonlySet<number>;
  /** The metadata that it must have, where the cluster divides its hosts. */
  readonly subset?: MetadataMatch | undefined;
  /** For a cluster without hosts of its own. */
  readonly destination?: Destination | undefined;
}
