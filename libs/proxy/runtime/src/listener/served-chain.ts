import type { Socket } from "node:net";
import {
  type ConnectionFacts,
  ConnectionManager,
  type ConnectionManagerConfig,
  type ConnectionManagerContext,
  type HttpStats,
  type StreamInfo,
  TcpProxy,
  type TcpProxyConfig,
  type TcpStats,
} from "@fairlead/proxy-filter";
import type { RouteTable } from "@fairlead/proxy-router";
import { connectionIdOf, passAddresses } from "@fairlead/proxy-stream";
import { type AccessLogger, type AccessLogSpec, accessLoggerOf } from "../access-log/access-log.ts";
import type { LogFiles } from "../access-log/log-files.ts";
import type { ConnectionLog } from "./connection-log.ts";
import { factsOf } from "./connection-facts.ts";
import { type ConfiguredNetworkFilter, keepFilters, passFilters } from "../network-filters/pass-filters.ts";
import { RpcEntrance } from "../rpc-entrance.ts";
import type { RuntimeLogger } from "../runtime-options.ts";
import type { ListenerStats } from "./listener-stats.ts";
import { terminateTls } from "./tls-termination.ts";
import type { TranslatedConnectionManager } from "../translate/connection-manager.ts";
import type { TranslatedChain } from "../translate/filter-chain.ts";

export interface ServedChainContext extends ConnectionManagerContext {
  /** The route table of that name as it is now. */
  readonly routes: (name: string) => RouteTable | undefined;
  readonly accessLog: ((listener: string, info: StreamInfo) => void) | undefined;
  /** Those of all listeners, besides what theirs say. */
  readonly accessLogs: readonly AccessLogSpec[];
  readonly logFiles: LogFiles;
  readonly httpStats: (prefix: string) => HttpStats;
  readonly tcpStats: (prefix: string) => TcpStats;
  readonly rpcStats: (prefix: string) => HttpStats;
  readonly logger: RuntimeLogger;
}

/** The tables that it wants over RDS. */
export function routeNamesOfChain(chain: TranslatedChain): string[] {
  return routeUsersOfChain(chain).map(([, routes]) => routes);
}

/** Who takes which table over RDS, by the prefix of its statistics. */
export function routeUsersOfChain({ rpc, serves }: TranslatedChain): (readonly [prefix: string, routes: string])[] {
  const users: (readonly [string, string])[] = rpc === undefined ? [] : [[`rpc.${rpc.statPrefix}`, rpc.routes]];
  if (serves.kind === "http" && typeof serves.manager.routes === "string")
    users.push([`http.${serves.manager.statPrefix}`, serves.manager.routes]);
  return users;
}

/** A filter chain at work: the connections that it took, and what serves them. */
export class ServedChain {
  readonly #listener: string;
  readonly #context: ServedChainContext;
  #translated: TranslatedChain;
  #filters: readonly ConfiguredNetworkFilter[];
  readonly #manager: ConnectionManager | undefined;
  readonly #proxy: TcpProxy | undefined;
  readonly #rpc: RpcEntrance | undefined;

  constructor(translated: TranslatedChain, listener: string, context: ServedChainContext) {
    this.#translated = translated;
    this.#filters = translated.filters;
    this.#listener = listener;
    this.#context = { ...context, staysWhenFailed: translated.staysWhenFailed };
    const { rpc, serves } = translated;
    if (rpc !== undefined) {
      const stats = context.rpcStats(rpc.statPrefix);
      this.#rpc = new RpcEntrance(rpc, this.#configOf(rpc), {
        listener,
        stats,
        context: this.#context,
        logger: context.logger,
      });
    }
    if (serves.kind === "http") {
      const stats = context.httpStats(serves.manager.statPrefix);
      this.#manager = new ConnectionManager(this.#configOf(serves.manager), stats, this.#context);
    } else if (serves.kind === "tcp")
      this.#proxy = new TcpProxy(this.#tcpConfigOf(serves), context.tcpStats(serves.proxy.statPrefix), context);
  }

  get activeRequests(): number {
    const calls = this.#rpc?.manager.activeRequests ?? 0;
    return calls + (this.#manager?.activeRequests ?? 0) + (this.#proxy?.activeConnections ?? 0);
  }

  /** The table that a request would be routed by now. */
  get table(): RouteTable | undefined {
    return (this.#manager ?? this.#rpc?.manager)?.config.routes();
  }

  routeNames(): string[] {
    return routeNamesOfChain(this.#translated);
  }

  /** Whether a change can be made without another chain: connections go on. */
  fits(translated: TranslatedChain): boolean {
    const { rpc, serves, staysWhenFailed } = this.#translated;
    return (
      translated.serves.kind === serves.kind &&
      (translated.rpc === undefined) === (rpc === undefined) &&
      translated.staysWhenFailed === staysWhenFailed
    );
  }

  update(translated: TranslatedChain): void {
    this.#filters = keepFilters(this.#filters, translated.filters);
    this.#translated = translated;
    const { rpc, serves } = translated;
    if (rpc !== undefined) this.#rpc?.update(rpc, this.#configOf(rpc));
    if (serves.kind === "http") this.#manager?.update(this.#configOf(serves.manager));
    else if (serves.kind === "tcp") this.#proxy?.update(this.#tcpConfigOf(serves));
  }

  /** @param stats of the listener; @param log its own, where it has one */
  serve(socket: Socket, facts: Readonly<ConnectionFacts> | undefined, stats: ListenerStats, log?: ConnectionLog): void {
    if (log !== undefined) log.info.filterChain = this.#translated.name;
    const count = (stat: string, by = 1): void => stats.ofFilters.count(stat, by);
    if (this.#filters.length > 0 && !passFilters(this.#filters, socket, facts ?? factsOf(socket, 0), count)) return;
    const { tls } = this.#translated;
    if (tls === undefined) this.#start(socket);
    else {
      const start = (secure: Socket): void => {
        passAddresses(socket, secure);
        if (log !== undefined) {
          connectionIdOf(secure, socket);
          log.knownBy(secure);
        }
        this.#start(secure);
      };
      terminateTls(socket, tls, stats.ssl, start, (problem, reason) => {
        if (log !== undefined) {
          if (problem === "timeout") log.info.connectionTermination = reason;
          else log.info.downstreamTransportFailure = reason;
        }
        if (problem === "timeout") stats.downstream_cx_transport_socket_connect_timeout++;
        else if (problem === "secrets missing")
          stats["server_ssl_socket_factory.downstream_context_secrets_not_ready"]++;
      });
    }
  }

  /** Resolves when nothing is under way. */
  async drain(): Promise<void> {
    await Promise.all([...this.#managers().map((manager) => manager.drain()), this.#proxy?.drain()]);
  }

  /** Responses end their connections, the more of them the more time has passed. */
  reduceIdleTime(): void {
    for (const manager of this.#managers()) manager.reduceIdleTime();
  }

  startGradualDrain(durationMs: number): void {
    for (const manager of this.#managers()) manager.startGradualDrain(durationMs);
  }

  /** Resolves when no connection is left. */
  async whenLeft(): Promise<void> {
    await Promise.all([...this.#managers().map((manager) => manager.whenLeft()), this.#proxy?.drain()]);
  }

  #managers(): ConnectionManager[] {
    return [this.#rpc?.manager, this.#manager].filter((manager) => manager !== undefined);
  }

  destroy(): void {
    this.#rpc?.destroy();
    this.#manager?.destroy();
    this.#proxy?.destroy();
  }

  #start(socket: Socket): void {
    const otherwise = this.#manager === undefined && this.#proxy === undefined ? undefined : this.#serveOther;
    if (this.#rpc === undefined) otherwise?.(socket);
    else {
      this.#rpc.serve(socket, otherwise);
      if (socket.isPaused()) socket.resume();
    }
  }

  readonly #serveOther = (socket: Socket): void => {
    this.#proxy?.serve(socket);
    this.#manager?.serve(socket, "auto");
    // One that was looked into is paused, so that nothing is lost before it is served.
    if (this.#manager !== undefined && socket.isPaused()) socket.resume();
  };

  #tcpConfigOf({ proxy, accessLogs }: Extract<TranslatedChain["serves"], { readonly kind: "tcp" }>): TcpProxyConfig {
    // Logs of all listeners are about requests.
    const write = accessLoggerOf(accessLogs, this.#context.logFiles);
    if (write === undefined) return proxy;
    const chain = this.#translated.name;
    const accessLog = (info: StreamInfo): void => {
      info.filterChain = chain;
      write(info);
    };
    return { ...proxy, accessLog };
  }

  #configOf(translated: TranslatedConnectionManager): ConnectionManagerConfig {
    const { routes } = translated;
    return {
      ...translated.config,
      routes: typeof routes === "string" ? () => this.#context.routes(routes) : () => routes,
      accessLog: this.#loggerOf(translated),
    };
  }

  #loggerOf({ accessLogs = [] }: TranslatedConnectionManager): AccessLogger | undefined {
    const { accessLog, accessLogs: general, logFiles } = this.#context;
    const write = accessLoggerOf([...general, ...accessLogs], logFiles);
    if (write === undefined && accessLog === undefined) return undefined;
    const listener = this.#listener;
    const chain = this.#translated.name;
    return (info) => {
      info.filterChain = chain;
      write?.(info);
      accessLog?.(listener, info);
    };
  }
}
