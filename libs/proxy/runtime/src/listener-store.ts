import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { HttpStats, TcpStats } from "@fairlead/proxy-filter";
import { decodeResources } from "./decode-resources.ts";
import type { ListenerStatus } from "./listener-status.ts";
import { ManagedListener, type ManagedListenerContext } from "./managed-listener.ts";
import type { RuntimeLogger } from "./runtime-options.ts";
import { readListener, type TranslatedListener } from "./translate/listener.ts";
import type { XdsRejection, XdsResource } from "./xds-resource.ts";

/** A listener that could be bound when it was accepted and cannot any more is tried again, each so long. */
const BIND_RETRY_MS = 1000;

export interface ListenerStoreContext extends Omit<ManagedListenerContext, "httpStats" | "tcpStats" | "rpcStats"> {
  readonly logger: RuntimeLogger;
  /** Something about a listener changed. */
  readonly onChange: () => void;
}

/** LDS as it was accepted: listeners that warm, serve and drain. */
export class ListenerStore {
  readonly #context: ListenerStoreContext & ManagedListenerContext;
  readonly #listeners = new Map<string, ManagedListener>();
  readonly #draining = new Map<ManagedListener, Promise<void>>();
  readonly #stats = new Map<string, HttpStats>();
  readonly #rpcStats = new Map<string, HttpStats>();
  readonly #tcpStats = new Map<string, TcpStats>();
  #closed = false;

  constructor(context: ListenerStoreContext) {
    this.#context = {
      ...context,
      httpStats: (prefix) => known(this.#stats, prefix, () => new HttpStats()),
      rpcStats: (prefix) => known(this.#rpcStats, prefix, () => new HttpStats()),
      tcpStats: (prefix) => known(this.#tcpStats, prefix, () => new TcpStats()),
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
    return [...this.#listeners.values(), ...this.#draining.keys()].map((listener) => listener.status());
  }

  /** The route tables that the listeners want, sorted. */
  routeNames(): string[] {
    return [...new Set([...this.#listeners.values()].flatMap((listener) => listener.routeNames()))].toSorted();
  }

  async apply(resources: readonly XdsResource[]): Promise<readonly XdsRejection[]> {
    const { accepted, rejections } = decodeResources(
      ListenerSchema,
      resources,
      (name) => {
        const listener = this.#listeners.get(name);
        return listener === undefined ? undefined : { name, body: listener.body, value: listener.translated };
      },
      (message) => ({ name: message.name, value: readListener(message) }),
    );
    const present = new Set(resources.map((resource) => resource.name));
    // First what goes: what comes may want its address.
    for (const [name, listener] of this.#listeners) if (!present.has(name)) this.#retire(listener);
    const failed = await Promise.all(accepted.map(({ value, body }) => this.#applyOne(value, body)));
    this.#context.onChange();
    return [...rejections, ...failed.flatMap((rejection) => (rejection === undefined ? [] : [rejection]))];
  }

  /** Route tables came: listeners that waited for them serve. Resolves when they accept. */
  async onRoutes(): Promise<void> {
    for (const listener of this.#listeners.values()) listener.promote();
    await this.#openReady();
  }

  /** Route tables will not come: listeners without serve all the same. */
  async serveWithoutRoutes(): Promise<void> {
    for (const listener of this.#listeners.values()) listener.serveWithoutRoutes();
    await this.#openReady();
  }

  /** All of them; resolves when they are done. */
  async drain(): Promise<void> {
    this.#closed = true;
    for (const listener of this.#listeners.values()) this.#retire(listener);
    this.#context.onChange();
    await Promise.all(this.#draining.values());
  }

  destroy(): void {
    this.#closed = true;
    for (const listener of [...this.#listeners.values(), ...this.#draining.keys()]) listener.destroy();
    this.#listeners.clear();
  }

  async #applyOne(translated: TranslatedListener, body: Uint8Array): Promise<XdsRejection | undefined> {
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
    if (before !== undefined) this.#retire(before);
    this.#listeners.set(translated.name, listener);
    return undefined;
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
    } catch (error) {
      const reason = bindFailure(listener.translated, error);
      this.#context.logger.error({ listener: listener.name, reason }, "listener cannot be bound; trying again");
      setTimeout(() => void this.#open(listener).then(this.#context.onChange), BIND_RETRY_MS).unref();
    }
  }

  #retire(listener: ManagedListener): void {
    if (this.#listeners.get(listener.name) === listener) this.#listeners.delete(listener.name);
    const done = listener.drain(this.#context.drainTimeoutMs).then(() => {
      this.#draining.delete(listener);
      this.#context.onChange();
    });
    this.#draining.set(listener, done);
  }
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
