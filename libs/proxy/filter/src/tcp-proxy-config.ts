import type { StreamInfo } from "./stream-info.ts";

export interface TcpProxyConfig {
  readonly statPrefix: string;
  readonly clusters: readonly TcpCluster[];
  /** No byte either way for so long ends a connection; 0 = never. @default 3600000 */
  readonly idleTimeoutMs: number;
  /** 0 = none. @default 0 */
  readonly maxDurationMs: number;
  /** Hosts that are tried one after the other. @default 1 */
  readonly maxConnectAttempts: number;
  /** Connections of one client go to one host, where the cluster balances by hash. @default false */
  readonly hashesSource: boolean;
  /** What a client does not take of it has its host wait. @default 1048576 */
  readonly highWatermarkBytes: number;
  /** Told of each connection when it has ended. @default nobody */
  readonly accessLog?: ((info: StreamInfo) => void) | undefined;
}

export interface TcpCluster {
  readonly name: string;
  readonly weight: number;
  /** The metadata that a host must have, as canonical JSON. @default any host */
  readonly subset?: ReadonlyMap<string, string> | undefined;
}

/** `tcp.<stat_prefix>.…` */
export class TcpStats {
  downstream_cx_total = 0;
  downstream_cx_active = 0;
  downstream_cx_no_route = 0;
  downstream_cx_rx_bytes_total = 0;
  downstream_cx_tx_bytes_total = 0;
  idle_timeout = 0;
  max_downstream_connection_duration = 0;
}
