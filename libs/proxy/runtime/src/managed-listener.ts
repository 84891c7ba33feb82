import type { Socket } from "node:net";
import {
  ConnectionManager,
  type ConnectionManagerConfig,
  type ConnectionManagerContext,
  type HttpStats,
  type StreamInfo,
} from "@fairlead/proxy-filter";
import type { RouteTable } from "@fairlead/proxy-router";
import { ListeningSocket } from "./listening-socket.ts";
import type { ListenerState, ListenerStatus } from "./listener-status.ts";
import type { TranslatedListener } from "./translate/listener.ts";

export interface ManagedListenerContext extends ConnectionManagerContext {
  /** The route table of that name as it is now. */
  readonly routes: (name: string) => RouteTable | undefined;
  readonly maxConnections: number;
  readonly accessLog: ((listener: string, info: StreamInfo) => void) | undefined;
}

/** One listener: its socket once it has its routes, and the HTTP that is served on it. */
export class ManagedListener {
  state: ListenerState = "warming";
  /** The body of its resource, to tell a change from a repetition. */
  body: Uint8Array;
  readonly stats: HttpStats;
  readonly #context: ManagedListenerContext;
  readonly #manager: ConnectionManager;
  #translated: TranslatedListener;
  /** A change that waits for its routes; the one before it serves. */
  #pending: TranslatedListener | undefined;
  #socket: ListeningSocket | undefined;
  #withoutRoutes = false;

  constructor(translated: TranslatedListener, body: Uint8Array, stats: HttpStats, context: ManagedListenerContext) {
    this.#translated = translated;
    this.body = body;
    this.stats = stats;
    this.#context = context;
    this.#manager = new ConnectionManager(this.#configOf(translated), stats, context);
  }

  get name(): string {
    return this.#translated.name;
  }

  /** The newest configuration, in force or not. */
  get translated(): TranslatedListener {
    return this.#pending ?? this.#translated;
  }

  /** Whether it has what it needs to serve. */
  get ready(): boolean {
    return this.#withoutRoutes || this.#hasRoutes(this.#translated);
  }

  get activeRequests(): number {
    return this.#manager.activeRequests;
  }

  /** The table that a request would be routed by now. */
  get table(): RouteTable | undefined {
    return this.state === "active" ? this.#manager.config.routes() : undefined;
  }

  /** The names of the tables that it uses or waits for. */
  routeNames(): string[] {
    return [this.#translated, this.#pending].flatMap((it) => (typeof it?.routes === "string" ? [it.routes] : []));
  }

  status(): ListenerStatus {
    return {
      name: this.name,
      address: this.#translated.address,
      port: this.#socket?.port ?? this.#translated.port,
      state: this.state,
      activeRequests: this.activeRequests,
    };
  }

  /** A change that keeps the address. Requests under way end as they began. */
  update(translated: TranslatedListener, body: Uint8Array): void {
    this.body = body;
    this.#pending = translated;
    this.promote();
  }

  /** The change that waits comes into force when it can. */
  promote(): void {
    const pending = this.#pending;
    if (pending === undefined || (this.state === "active" && !this.#withoutRoutes && !this.#hasRoutes(pending))) return;
    this.#pending = undefined;
    this.#translated = pending;
    this.#manager.update(this.#configOf(pending));
  }

  /** Routes did not come in time: serves without, which is 404 for all. */
  serveWithoutRoutes(): void {
    this.#withoutRoutes = true;
  }

  /** Rejects with the system's error. */
  async open(): Promise<void> {
    const socket = await this.#bind((connection) => this.#manager.serve(connection, "auto"));
    if (this.state === "draining") {
      socket.close();
      return;
    }
    this.#socket = socket;
    this.state = "active";
  }

  /** Whether the address can be bound, for a listener that may not accept yet. Rejects with the system's error. */
  async probe(): Promise<void> {
    const socket = await this.#bind((connection) => connection.destroy());
    socket.close();
  }

  /** Stops accepting. Resolves when no request is under way, or after the time-out; connections are closed then. */
  async drain(timeoutMs: number): Promise<void> {
    this.state = "draining";
    this.#socket?.close();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.#manager.drain(), timeout]);
    clearTimeout(timer);
    this.#manager.destroy();
  }

  /** Now. */
  destroy(): void {
    this.state = "draining";
    this.#socket?.close();
    this.#manager.destroy();
  }

  #bind(onConnection: (socket: Socket) => void): Promise<ListeningSocket> {
    return ListeningSocket.open({
      address: this.#translated.address,
      port: this.#translated.port,
      backlog: this.#translated.backlog,
      maxConnections: this.#context.maxConnections,
      onConnection,
      onOverflow: () => {
        this.stats.downstream_cx_overflow++;
      },
    });
  }

  #hasRoutes(translated: TranslatedListener): boolean {
    return typeof translated.routes !== "string" || this.#context.routes(translated.routes) !== undefined;
  }

  #configOf(translated: TranslatedListener): ConnectionManagerConfig {
    const { routes } = translated;
    const { accessLog } = this.#context;
    return {
      ...translated.config,
      routes: typeof routes === "string" ? () => this.#context.routes(routes) : () => routes,
      accessLog: accessLog === undefined ? undefined : (info) => accessLog(translated.name, info),
    };
  }
}
