import type { Logger } from "@fairlead/logging";
import type { SnapshotReplica } from "@fairlead/snapshot";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import type { ProxyConnection } from "./proxy-connection.ts";
import type { RefusalLog } from "./refusal-log.ts";

/** What all connections of a gateway share. */
export interface ConnectionContext {
  readonly replica: SnapshotReplica;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  readonly refusalLog: RefusalLog;
  readonly sendTimeoutMs: number;
  /** A stream without a request for this long is ended. */
  readonly firstRequestTimeoutMs: number;
  /** The node is known. */
  readonly onNamed: (connection: ProxyConnection) => void;
  /** What is pending may have changed. */
  readonly onProgress: (connection: ProxyConnection) => void;
  /** Called once. */
  readonly onClosed: (connection: ProxyConnection) => void;
  /** Cuts the transport of a peer that does not read: its stream cannot be ended in an orderly way. */
  readonly cut: (peer: string) => void;
}
