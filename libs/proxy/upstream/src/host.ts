import type { ConnectionPool } from "./connection-pool.ts";

/** One endpoint of one cluster, for as long as it is assigned or requests to it are under way. */
export class Host {
  readonly address: string;
  readonly port: number;
  readonly pool: ConnectionPool;
  activeRequests = 0;
  totalRequests = 0;

  constructor(address: string, port: number, pool: ConnectionPool) {
    this.address = address;
    this.port = port;
    this.pool = pool;
  }

  /** `address:port`, `[address]:port` for IPv6. */
  get key(): string {
    return hostKey(this.address, this.port);
  }
}

export function hostKey(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
