import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { RouteTable } from "@fairlead/proxy-router";
import type { ConnectionFacts } from "@fairlead/proxy-filter";
import type { StatStore } from "@fairlead/stat-cells";
import { type AccessLogger, accessLoggerOf } from "../access-log/access-log.ts";
import { GRADUAL_SHARE } from "../drain-options.ts";
import { ListenerEntrance, type ServingListener } from "./listener-entrance.ts";
import type { ListenerSockets } from "./listener-sockets.ts";
import type { ListeningSocket, SocketConsumer } from "./listening-socket.ts";
import { ListenerStats } from "./listener-stats.ts";
import type { ListenerState, ListenerStatus } from "./listener-status.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import { routeNamesOfChain, routeUsersOfChain, ServedChain, type ServedChainContext } from "./served-chain.ts";
import type { TranslatedChain } from "../translate/filter-chain.ts";
import type { TranslatedListener } from "../translate/listener.ts";

export interface ManagedListenerContext extends ServedChainContext {
  readonly sockets: ListenerSockets;
  readonly secrets: SecretStore;
  /** The listener of that address, or of all addresses with that port. */
  readonly listenerAt: (address: string, port: number) => ManagedListener | undefined;
  readonly drainTimeoutMs: number;
  readonly stats: StatStore;
}

/** How long idle connections stay in a drain at once. */
const LAST_REQUESTS_MS = 300;

/** One listener: its socket once it has its routes, and its filter chains. */
export class ManagedListener implements SocketConsumer {
  state: ListenerState = "warming";
  /** The body of its resource, to tell a change from a repetition. */
  body: Uint8Array;
  readonly stats: ListenerStats;
  readonly #context: ManagedListenerContext;
  readonly #entrance: ListenerEntrance;
  #chains: ReadonlyMap<TranslatedChain, ServedChain>;
  /** Of an earlier configuration: they serve what they have. */
  readonly #retired = new Set<ServedChain>();
  #translated: TranslatedListener;
  /** A change that waits for its routes; the one before it serves. */
  #pending: TranslatedListener | undefined;
  #socket: ListeningSocket | undefined;
  #accessLog: AccessLogger | undefined;
  #withoutRoutes = false;
  readonly #hastened = Promise.withResolvers<void>();

  constructor(translated: TranslatedListener, body: Uint8Array, context: ManagedListenerContext) {
    this.#translated = translated;
    this.body = body;
    this.#context = context;
    const { name, address, port } = translated;
    this.stats = context.stats.create(`listener.${name}.${address}_${port}`, ListenerStats);
    const now = (): ServingListener => ({
      translated: this.#translated,
      chains: this.#chains,
      port: this.#socket?.port ?? this.#translated.port,
      accessLog: this.#accessLog,
    });
    this.#accessLog = accessLoggerOf(translated.accessLogs, context.logFiles);
    this.#entrance = new ListenerEntrance(this.stats, now, (facts) => this.#otherListenerAt(facts), context.now);
    this.#chains = new Map(
      chainsOf(translated).map((chain) => [chain, new ServedChain(chain, translated.name, context)]),
    );
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
    return (this.#withoutRoutes || this.#hasRoutes(this.#translated)) && this.#hasSecrets(this.#translated);
  }

  get activeRequests(): number {
    return [...this.#chains.values(), ...this.#retired].reduce((sum, chain) => sum + chain.activeRequests, 0);
  }

  /** The table that a request would be routed by now; of the first chain that serves HTTP. */
  get table(): RouteTable | undefined {
    if (this.state !== "active") return undefined;
    return [...this.#chains.values()].map((chain) => chain.table).find((table) => table !== undefined);
  }

  /** The names of the tables that it uses or waits for. */
  routeNames(): string[] {
    return [this.#translated, this.#pending].flatMap((it) => (it === undefined ? [] : routeNamesOf(it)));
  }

  /** Who in it takes which table over RDS. */
  routeUsers(): (readonly [prefix: string, routes: string])[] {
    return chainsOf(this.translated).flatMap((chain) => routeUsersOfChain(chain));
  }

  /** And of those that connections of an earlier configuration still go by. */
  routeNamesInUse(): string[] {
    return [...this.routeNames(), ...[...this.#retired].flatMap((chain) => chain.routeNames())];
  }

  /** The names of the secrets that it uses or waits for. */
  secretNames(): string[] {
    return [this.#translated, this.#pending].flatMap((it) => it?.secretNames ?? []);
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
    if (pending === undefined) return;
    const complete = (this.#withoutRoutes || this.#hasRoutes(pending)) && this.#hasSecrets(pending);
    if (this.state === "active" && !complete) return;
    this.#pending = undefined;
    this.#translated = pending;
    this.#accessLog = accessLoggerOf(pending.accessLogs, this.#context.logFiles);
    this.#replaceChains(pending);
  }

  /** Routes did not come in time: serves without, which is 404 for all. */
  serveWithoutRoutes(): void {
    this.#withoutRoutes = true;
  }

  /** Rejects with the system's error. */
  async open(): Promise<void> {
    if (!this.#translated.binds) {
      this.state = this.state === "draining" ? "draining" : "active";
      return;
    }
    const socket = await this.#context.sockets.open(this.#translated, this);
    if (this.state === "draining") {
      await this.#context.sockets.close(this.#translated, this, { released: false, now: true });
      return;
    }
    this.#socket = socket;
    this.state = "active";
  }

  /** Whether the address can be bound, for a listener that may not accept yet. Rejects with the system's error. */
  async probe(): Promise<void> {
    if (!this.#translated.binds) return;
    await this.#context.sockets.probe(this.#translated);
  }

  /**
   * Resolves when its address is free.
   *
   * @param removed the configuration has it no more, so that nobody is to wait for it
   */
  async stopAccepting(removed: boolean): Promise<void> {
    this.state = "draining";
    await this.#context.sockets.close(this.#translated, this, { released: removed, now: false });
  }

  /** After it has stopped accepting. Resolves when its connections have gone, or after the time-out; they are closed then. */
  async drain(gradual: boolean): Promise<void> {
    const { drainTimeoutMs } = this.#context;
    const chains = [...this.#chains.values(), ...this.#retired];
    const atOnce = async (): Promise<void> => {
      do {
        await Promise.all(chains.map((chain) => chain.drain()));
        // Requests that are on their way on idle connections are served, too: they end them.
        await within(LAST_REQUESTS_MS, Promise.all(chains.map((chain) => chain.whenLeft())));
        // What came in time to a thread that was busy is read only after its timers.
        await nextTurn();
      } while (chains.some((chain) => chain.activeRequests > 0));
    };
    const hastened = this.#hastened.promise.then(atOnce);
    const gone = gradual ? Promise.all(chains.map((chain) => gradually(chain, drainTimeoutMs))) : atOnce();
    await within(drainTimeoutMs, Promise.race([gone, hastened]));
    for (const chain of chains) chain.destroy();
  }

  /** A drain that is under way ends as soon as no request is. */
  hasten(): void {
    this.#hastened.resolve();
  }

  /** Before a drain: it still accepts. */
  reduceIdleTime(): void {
    for (const chain of [...this.#chains.values(), ...this.#retired]) chain.reduceIdleTime();
  }

  startGradualDrain(durationMs: number): void {
    for (const chain of this.#chains.values()) chain.startGradualDrain(durationMs);
  }

  /** Now. */
  destroy(): void {
    this.state = "draining";
    void this.#context.sockets.close(this.#translated, this, { released: false, now: true });
    for (const chain of [...this.#chains.values(), ...this.#retired]) chain.destroy();
  }

  onOverflow(): void {
    this.stats.downstream_cx_overflow++;
  }

  onConnection(socket: Socket): void {
    this.#entrance.accept(socket);
  }

  /** A chain with the same key goes on with its connections; one that has gone serves them to their end. */
  #replaceChains(translated: TranslatedListener): void {
    const before = new Map([...this.#chains].map(([chain, served]) => [chain.key, served]));
    const after = new Map<TranslatedChain, ServedChain>();
    for (const chain of chainsOf(translated)) {
      const kept = before.get(chain.key);
      if (kept?.fits(chain) === true) {
        before.delete(chain.key);
        kept.update(chain);
        after.set(chain, kept);
      } else after.set(chain, new ServedChain(chain, translated.name, this.#context));
    }
    this.#chains = after;
    for (const gone of before.values()) this.#retire(gone);
  }

  #retire(chain: ServedChain): void {
    this.#retired.add(chain);
    const { drainTimeoutMs } = this.#context;
    void within(drainTimeoutMs, gradually(chain, drainTimeoutMs)).then(() => {
      chain.destroy();
      this.#retired.delete(chain);
    });
  }

  #otherListenerAt({ localAddress, localPort }: ConnectionFacts): ManagedListener | undefined {
    const found = this.#context.listenerAt(localAddress, localPort);
    return found === this ? undefined : found;
  }

  #hasSecrets(translated: TranslatedListener): boolean {
    return this.#context.secrets.settled(translated.secretNames);
  }

  #hasRoutes(translated: TranslatedListener): boolean {
    return routeNamesOf(translated).every((name) => this.#context.routes(name) !== undefined);
  }
}

function chainsOf({ chains, defaultChain }: TranslatedListener): readonly TranslatedChain[] {
  return defaultChain === undefined ? chains : [...chains, defaultChain];
}

function routeNamesOf(translated: TranslatedListener): string[] {
  return chainsOf(translated).flatMap((chain) => routeNamesOfChain(chain));
}

/** Resolves when its connections have gone. An idle one stays: its next request may be on its way. */
async function gradually(chain: ServedChain, timeoutMs: number): Promise<void> {
  const gradualMs = timeoutMs * GRADUAL_SHARE;
  chain.startGradualDrain(gradualMs);
  const left = chain.whenLeft();
  await within(gradualMs, left);
  // Those that have had no response meanwhile end with their next one, and are told where the protocol can.
  void chain.drain();
  await left;
}

async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
