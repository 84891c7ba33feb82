import type { Socket } from "node:net";
import { TcpConnection, type TcpProxyContext } from "./tcp-connection.ts";
import type { TcpCluster, TcpProxyConfig, TcpStats } from "./tcp-proxy-config.ts";

/** Passes connections on as bytes, each to one host of its cluster. */
export class TcpProxy {
  readonly stats: TcpStats;
  readonly #context: TcpProxyContext;
  readonly #connections = new Set<TcpConnection>();
  readonly #whenIdle: (() => void)[] = [];
  #config: TcpProxyConfig;

  constructor(config: TcpProxyConfig, stats: TcpStats, context: TcpProxyContext) {
    this.#config = config;
    this.stats = stats;
    this.#context = context;
  }

  get activeConnections(): number {
    return this.#connections.size;
  }

  /** For connections from now on. */
  update(config: TcpProxyConfig): void {
    this.#config = config;
  }

  serve(socket: Socket): void {
    const config = this.#config;
    this.stats.downstream_cx_total++;
    this.stats.downstream_cx_active++;
    const connection = new TcpConnection(socket, config, this.stats, this.#context, () => {
      this.#connections.delete(connection);
      this.stats.downstream_cx_active--;
      if (this.#connections.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    });
    this.#connections.add(connection);
    connection.start(pickCluster(config, this.#context));
  }

  /** Resolves when all connections have ended of themselves. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#connections.size === 0) resolve();
      else this.#whenIdle.push(resolve);
    });
  }

  destroy(): void {
    for (const connection of this.#connections) connection.close();
  }
}

function pickCluster(config: TcpProxyConfig, context: TcpProxyContext): TcpCluster | undefined {
  const total = config.clusters.reduce((sum, { weight }) => sum + weight, 0);
  let point = context.random() * total;
  for (const cluster of config.clusters) {
    point -= cluster.weight;
    if (point < 0) return cluster;
  }
  return undefined;
}
