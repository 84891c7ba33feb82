import { setTimeout as pause } from "node:timers/promises";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { HttpStats, TcpStats } from "@fairlead/proxy-filter";
import type { CommonCells } from "@fairlead/stat-cells";
import { decodeResources } from "../decode-resources.ts";
import { type DrainOptions, GRADUAL_SHARE } from "../drain-options.ts";
import type { ListenerStatus } from "./listener-status.ts";
import { ManagedListener, type ManagedListenerContext } from "./managed-listener.ts";
import type { RuntimeLogger } from "../runtime-options.ts";
import type { NewerFields } from "../translate/newer-fields.ts";
import { readListener, type TranslatedListener } from "../translate/listener.ts";
import type { XdsRejection, XdsResource } from "../xds-resource.ts";

/** A listener that could be bound when it was accepted and cannot any more is tried again, each so long. */
const BIND_RETRY_MS = 1000;

export interface ListenerStoreContext extends Omit<
  ManagedListenerContext,
  "httpStats" | "tcpStats" | "rpcStats" | "listenerAt"
> {
  readonly logger: RuntimeLogger;
  readonly newer: NewerFields;
  /** What limits count in over all threads. @default those of this thread alone */
  readonly common?: CommonCells | undefined;
  /** Something about a listener changed. */
  readonly onChange: () => void;
}

/** LDS as it was accepted: listeners that warm, serve and drain. */
export class ListenerStore {
  readonly #context: ListenerStoreContext & ManagedListenerContext;
  readonly #listeners = new Map<string, ManagedListener>();
  readonly #draining = new Map<ManagedListener, Promise<void>>();
  /** Those that serve until the listener in their place has its routes. */
  readonly #superseded = new Map<ManagedListener, readonly ManagedListener[]>();
  readonly #stats = new Map<string, HttpStats>();
  readonly #rpcStats = new Map<string, HttpStats>();
  readonly #tcpStats = new Map<string, TcpStats>();
  readonly #allDraining = Promise.withResolvers<void>();
  #closed = false;

  constructor(context: ListenerStoreContext) {
    this.#context = {
      ...context,
      listenerAt: (address, port) => this.#at(address, port),
      httpStats: (prefix) => known(this.#stats, prefix, () => context.stats.create(`http.${prefix}`, HttpStats)),
      rpcStats: (prefix) => known(this.#rpcStats, prefix, () => context.stats.create(`rpc.${prefix}`, HttpStats)),
      tcpStats: (prefix) => known(this.#tcpStats, prefix, () => context.stats.create(`tcp.${prefix}`, TcpStats)),
    };
  }

  get(name: string): ManagedListener | undefined {
    return this.#listeners.get(name);
  }

  all(): Iterable<ManagedListener> {
    return this.#listeners.values();
  }

  /** By `stat_prefix`. */
  stats(): ReadonlyMap<string, HttpStats> {
    return this.#stats;
  }

  rpcStats(): ReadonlyMap<string, HttpStats> {
    return this.#rpcStats;
  }

  tcpStats(): ReadonlyMap<string, TcpStats> {
    return this.#tcpStats;
  }

  statuses(): ListenerStatus[] {
    return [...this.#current(), ...this.#draining.keys()].map((listener) => listener.status());
  }

  /** The route tables that the listeners want, sorted. */
  routeNames(): string[] {
    return [...new Set(this.#current().flatMap((listener) => listener.routeNames()))].toSorted();
  }

  /** Who takes which route table over RDS, by the prefix of its statistics. */
  routeUsers(): (readonly [prefix: string, routes: string])[] {
    return [...this.#listeners.values()].flatMap((listener) => listener.routeUsers());
  }

  /** The secrets that the listeners want. */
  secretNames(): string[] {
    return this.#current().flatMap((listener) => listener.secretNames());
  }

  /** And those that draining connections still go by: nobody asks for them any more. */
  routeNamesInUse(): string[] {
    return [...this.#current(), ...this.#draining.keys()].flatMap((listener) => listener.routeNamesInUse());
  }

  async apply(resources: readonly XdsResource[]): Promise<readonly XdsRejection[]> {
    // One that drains accepts nothing any more, also not where its successor does.
    if (this.#closed) return [];
    const { accepted, rejections } = decodeResources(
      ListenerSchema,
      resources,
      (name) => {
        const listener = this.#listeners.get(name);
        return listener === undefined ? undefined : { name, body: listener.body, value: listener.translated };
      },
      (message) => ({ name: message.name, value: readListener(message, this.#context.secrets) }),
      this.#context.newer,
      this.#context.common,
    );
    const present = new Set(resources.map((resource) => resource.name));
    const gone = [...this.#listeners.values()].filter(({ name }) => !present.has(name));
    const { placed, conflicts } = this.#placesOf(accepted, gone);
    const keepsSocket = (listener: ManagedListener) =>
      placed.some(({ value }) => isSamePlace(value, listener.translated));
    // First what goes: what comes may want a part of its address. At the very same address the one that comes takes over.
    await Promise.all(gone.filter((listener) => !keepsSocket(listener)).map((listener) => this.#retire(listener)));
    const failed = await Promise.all(
      placed.map(({ value, body }) =>
        this.#applyOne(
          value,
          body,
          gone.filter((listener) => isSamePlace(value, listener.translated)),
        ),
      ),
    );
    this.#context.onChange();
    return [
      ...rejections,
      ...conflicts,
      ...failed.flatMap((rejection) => (rejection === undefined ? [] : [rejection])),
    ];
  }

  /** Route tables or secrets came: listeners that waited for them serve. Resolves when they accept. */
  async serveReady(): Promise<void> {
    for (const listener of this.#current()) listener.promote();
    await this.#openReady();
  }

  /** Route tables will not come: listeners without serve all the same. */
  async serveWithoutRoutes(): Promise<void> {
    for (const listener of this.#listeners.values()) listener.serveWithoutRoutes();
    await this.#openReady();
  }

  /** All of them; resolves when they are done. Those that drain already, more slowly, are hastened. */
  async drain({ strategy = "at once", accepting = false }: DrainOptions = {}): Promise<void> {
    const gradual = strategy === "gradual";
    if (gradual && accepting) {
      const gradualMs = this.#context.drainTimeoutMs * GRADUAL_SHARE;
      for (const listener of this.#current()) listener.startGradualDrain(gradualMs);
      await Promise.race([pause(gradualMs, undefined, { ref: false }), this.#allDraining.promise]);
    }
    this.#closed = true;
    this.#allDraining.resolve();
    if (!gradual) for (const listener of this.#draining.keys()) listener.hasten();
    for (const listener of this.#current()) void this.#retire(listener, gradual && !accepting);
    this.#context.onChange();
    await Promise.all(this.#draining.values());
  }

  /** The overload state says by how much. */
  reduceIdleTime(): void {
    for (const listener of this.#current()) listener.reduceIdleTime();
  }

  destroy(): void {
    this.#closed = true;
    for (const listener of [...this.#current(), ...this.#draining.keys()]) listener.destroy();
    this.#listeners.clear();
    this.#superseded.clear();
  }

  #current(): ManagedListener[] {
    return [...this.#listeners.values(), ...[...this.#superseded.values()].flat()];
  }

  /** An address has one listener: a second one is refused. */
  #placesOf(
    accepted: readonly AcceptedListener[],
    gone: readonly ManagedListener[],
  ): { placed: AcceptedListener[]; conflicts: XdsRejection[] } {
    const placed: AcceptedListener[] = [];
    const conflicts: XdsRejection[] = [];
    const named = new Set(accepted.map(({ value }) => value.name));
    // Those whose change was rejected stay as they are.
    const staying = [...this.#listeners.values()].filter((it) => !gone.includes(it) && !named.has(it.name));
    const isUnchanged = ({ value, body }: AcceptedListener) => this.#listeners.get(value.name)?.body === body;
    for (const it of [...accepted.filter(isUnchanged), ...accepted.filter((one) => !isUnchanged(one))]) {
      const others = [...staying.map(({ translated }) => translated), ...placed.map(({ value }) => value)];
      const other = others.find((value) => value.name !== it.value.name && isSamePlace(value, it.value));
      if (other === undefined) placed.push(it);
      else {
        const { name, address, port } = it.value;
        conflicts.push({ name, reason: `address: ${address}:${port} is the address of listener ${other.name}` });
      }
    }
    return { placed, conflicts };
  }

  #at(address: string, port: number): ManagedListener | undefined {
    const serving = this.#current().filter((one) => one.state === "active" && one.status().port === port);
    const all = address.includes(":") ? "::" : "0.0.0.0";
    return (
      serving.find(({ translated }) => translated.address === address) ??
      serving.find(({ translated }) => translated.address === all)
    );
  }

  async #applyOne(
    translated: TranslatedListener,
    body: Uint8Array,
    replaced: readonly ManagedListener[],
  ): Promise<XdsRejection | undefined> {
    const before = this.#listeners.get(translated.name);
    if (before !== undefined) {
      if (before.body === body) return undefined;
      const { address, port } = before.translated;
      if (address === translated.address && port === translated.port) {
        before.update(translated, body);
        return undefined;
      }
    }
    const listener = new ManagedListener(translated, body, this.#context);
    try {
      if (listener.ready) await listener.open();
      // Its routes come later; whether it can be bound is to be said now.
      else if (translated.port !== 0) await listener.probe();
    } catch (error) {
      return { name: translated.name, reason: bindFailure(translated, error) };
    }
    if (this.#closed) {
      listener.destroy();
      return undefined;
    }
    this.#supersede(before === undefined ? replaced : [before, ...replaced], listener);
    this.#listeners.set(translated.name, listener);
    if (listener.state === "active") this.#retireSuperseded(listener);
    return undefined;
  }

  /** They serve on until the new one does. */
  #supersede(before: readonly ManagedListener[], listener: ManagedListener): void {
    for (const { name } of before) this.#listeners.delete(name);
    // One that was still waiting itself never served: those before it do.
    const serving = before.flatMap((it) => {
      const earlier = this.#superseded.get(it) ?? [];
      this.#superseded.delete(it);
      return [it, ...earlier];
    });
    if (serving.length > 0) this.#superseded.set(listener, serving);
  }

  #retireSuperseded(listener: ManagedListener): void {
    const before = this.#superseded.get(listener) ?? [];
    this.#superseded.delete(listener);
    for (const it of before) void this.#retire(it);
  }

  async #openReady(): Promise<void> {
    const ready = [...this.#listeners.values()].filter((listener) => listener.state === "warming" && listener.ready);
    await Promise.all(ready.map((listener) => this.#open(listener)));
    this.#context.onChange();
  }

  async #open(listener: ManagedListener): Promise<void> {
    if (this.#closed || this.#listeners.get(listener.name) !== listener || listener.state !== "warming") return;
    try {
      await listener.open();
      this.#retireSuperseded(listener);
    } catch (error) {
      const reason = bindFailure(listener.translated, error);
      this.#context.logger.error({ listener: listener.name, reason }, "listener cannot be bound; trying again");
      setTimeout(() => void this.#open(listener).then(this.#context.onChange), BIND_RETRY_MS).unref();
    }
  }

  /** @returns resolves when its address is free; its connections end later */
  #retire(listener: ManagedListener, gradual = true): Promise<void> {
    if (this.#listeners.get(listener.name) === listener) this.#listeners.delete(listener.name);
    this.#retireSuperseded(listener);
    const stopped = listener.stopAccepting(!this.#closed);
    const done = stopped
      .then(() => listener.drain(gradual))
      .then(() => {
        this.#draining.delete(listener);
        this.#context.onChange();
      });
    this.#draining.set(listener, done);
    return stopped;
  }
}

interface AcceptedListener {
  readonly value: TranslatedListener;
  readonly body: Uint8Array;
}

function isSamePlace(a: TranslatedListener, b: TranslatedListener): boolean {
  return a.port !== 0 && a.port === b.port && a.address === b.address;
}

function known<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  const value = map.get(key) ?? create();
  map.set(key, value);
  return value;
}

function bindFailure(translated: TranslatedListener, error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return `address: cannot bind ${translated.address}:${translated.port}: ${code}`;
}
