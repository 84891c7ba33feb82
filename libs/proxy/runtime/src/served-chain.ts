import type { Socket } from "node:net";
import {
  ConnectionManager,
  type ConnectionManagerConfig,
  type ConnectionManagerContext,
  type HttpStats,
  type StreamInfo,
  TcpProxy,
  type TcpStats,
} from "@fairlead/proxy-filter";
import type { RouteTable } from "@fairlead/proxy-router";
import { terminateTls } from "./tls-termination.ts";
import type { TranslatedConnectionManager } from "./translate/connection-manager.ts";
import type { TranslatedChain } from "./translate/filter-chain.ts";

export interface ServedChainContext extends ConnectionManagerContext {
  /** The route table of that name as it is now. */
  readonly routes: (name: string) => RouteTable | undefined;
  readonly accessLog: ((listener: string, info: StreamInfo) => void) | undefined;
  readonly httpStats: (prefix: string) => HttpStats;
  readonly tcpStats: (prefix: string) => TcpStats;
}

/** A filter chain at work: the connections that it took, and what serves them. */
export class ServedChain {
  readonly #listener: string;
  readonly #context: ServedChainContext;
  #translated: TranslatedChain;
  readonly #manager: ConnectionManager | undefined;
  readonly #proxy: TcpProxy | undefined;

  constructor(translated: TranslatedChain, listener: string, context: ServedChainContext) {
    this.#translated = translated;
    this.#listener = listener;
    this.#context = context;
    const { serves } = translated;
    if (serves.kind === "http") {
      const stats = context.httpStats(serves.manager.statPrefix);
      this.#manager = new ConnectionManager(this.#configOf(serves.manager), stats, context);
    } else this.#proxy = new TcpProxy(serves.proxy, context.tcpStats(serves.proxy.statPrefix), context);
  }

  get activeRequests(): number {
    return (this.#manager?.activeRequests ?? 0) + (this.#proxy?.activeConnections ?? 0);
  }

  /** The table that a request would be routed by now. */
  get table(): RouteTable | undefined {
    return this.#manager?.config.routes();
  }

  /** Whether a change can be made without another chain: connections go on. */
  fits(translated: TranslatedChain): boolean {
    return translated.serves.kind === this.#translated.serves.kind;
  }

  update(translated: TranslatedChain): void {
    this.#translated = translated;
    const { serves } = translated;
    if (serves.kind === "http") this.#manager?.update(this.#configOf(serves.manager));
    else this.#proxy?.update(serves.proxy);
  }

  /** @param onTlsFailure a handshake did not succeed; the connection is closed */
  serve(socket: Socket, onTlsFailure: () => void): void {
    const { tls } = this.#translated;
    if (tls === undefined) this.#start(socket);
    else terminateTls(socket, tls, (secure) => this.#start(secure), onTlsFailure);
  }

  /** Resolves when nothing is under way. */
  async drain(): Promise<void> {
    await this.#manager?.drain();
    await this.#proxy?.drain();
  }

  destroy(): void {
    this.#manager?.destroy();
    this.#proxy?.destroy();
  }

  #start(socket: Socket): void {
    this.#proxy?.serve(socket);
    this.#manager?.serve(socket, "auto");
    // One that was looked into is paused, so that nothing is lost before it is served.
    if (this.#manager !== undefined && socket.isPaused()) socket.resume();
  }

  #configOf(translated: TranslatedConnectionManager): ConnectionManagerConfig {
    const { routes } = translated;
    const { accessLog } = this.#context;
    const listener = this.#listener;
    return {
      ...translated.config,
      routes: typeof routes === "string" ? () => this.#context.routes(routes) : () => routes,
      accessLog: accessLog === undefined ? undefined : (info) => accessLog(listener, info),
    };
  }
}
