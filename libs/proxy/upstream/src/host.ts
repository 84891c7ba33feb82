import type { CheckedAt, ClusterConfig, HostSpec } from "./cluster-config.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import type { HostMetadata } from "./subset-config.ts";

/** Who is told how a host does: outlier detection. */
export interface HostMonitor {
  /** @param grpcStatus of a response without a body */
  onResponse(status: number, grpcStatus: string | undefined): void;
  /** There was no response. */
  onReset(reason: string): void;
  onTimeout(): void;
}

/** How long a host that has said it goes is left alone, unless it says otherwise, or is taken out of the assignment. */
const LEAVING_MS = 30_000;
const noMetadata: HostMetadata = Object.freeze({});

/** Whose host it is: one for all hosts of a cluster, so that a host needs no closures of its own. */
export interface HostOwner {
  createPool(host: Host, high: boolean): ConnectionPool;
  /** Told of a change of `leaving`. */
  onLeaving(host: Host): void;
}

/** One endpoint of one cluster, for as long as it is assigned or requests to it are under way. */
export class Host {
  readonly address: string;
  readonly port: number;
  /** "" when it has none. */
  hostname = "";
  /** 0 is the first. */
  priority = 0;
  /** What the assignment says of it under `envoy.lb`. */
  metadata: HostMetadata = noMetadata;
  /** In all namespaces. */
  allMetadata: Readonly<Record<string, HostMetadata>> | undefined;
  /** Since when it may be chosen; the proxy's monotonic clock, whole milliseconds. */
  readySinceMs = 0;
  activeRequests = 0;
  totalRequests = 0;
  monitor: HostMonitor | undefined;
  /** Outlier detection has taken it out. */
  ejected = false;
  /** The active health check says no. */
  failedCheck = false;
  /** It passes, but would rather not be asked. */
  degradedByCheck = false;
  /** It said no by itself: it is not counted among the hosts that a priority could have. */
  excluded = false;
  /** Told of a response that says so (`x-envoy-immediate-health-check-fail`), where there are active health checks. */
  saysUnhealthy: (() => void) | undefined;
  /** @default as the cluster says */
  checkedAt: CheckedAt | undefined;
  /** It has said that it is about to go. */
  leaving = false;

  /** How it is connected to. */
  readonly settings: ClusterConfig;
  readonly #owner: HostOwner;
  #key: string | undefined;
  #hashKey: string | undefined;
  #pool: ConnectionPool | undefined;
  /** For requests of high priority: they do not wait behind others. */
  #highPool: ConnectionPool | undefined;
  #drained = false;
  #leavingEnds: NodeJS.Timeout | undefined;

  constructor(spec: HostSpec, settings: ClusterConfig, owner: HostOwner) {
    this.settings = settings;
    this.address = spec.address;
    this.port = spec.port;
    this.#owner = owner;
    this.update(spec);
  }

  /** `address:port`, `[address]:port` for IPv6. */
  get key(): string {
    return (this.#key ??= hostKey(this.address, this.port));
  }

  /** What it is hashed by. */
  get hashKey(): string {
    return this.#hashKey ?? this.key;
  }

  /** Made for the first request: most hosts of a mesh are never called by a proxy. */
  get pool(): ConnectionPool {
    return (this.#pool ??= this.#newPool(false));
  }

  get highPool(): ConnectionPool {
    return (this.#highPool ??= this.#newPool(true));
  }

  #newPool(high: boolean): ConnectionPool {
    const pool = this.#owner.createPool(this, high);
    pool.hostLeaving = (leaving) => this.#setLeaving(leaving);
    if (this.#drained) pool.drain();
    return pool;
  }

  get connections(): number {
    return (this.#pool?.connections ?? 0) + (this.#highPool?.connections ?? 0);
  }

  get idleConnections(): number {
    return (this.#pool?.idleConnections ?? 0) + (this.#highPool?.idleConnections ?? 0);
  }

  /** What says that it goes mostly goes; what starts again at its address has nothing to say it with. */
  #setLeaving(leaving: boolean): void {
    clearTimeout(this.#leavingEnds);
    if (leaving) {
      this.#leavingEnds = setTimeout(() => this.#setLeaving(false), LEAVING_MS);
      this.#leavingEnds.unref();
    }
    if (this.leaving === leaving) return;
    this.leaving = leaving;
    this.#owner.onLeaving(this);
  }

  /** It has become unhealthy: see `ConnectionPool.renew`. */
  renewConnections(): void {
    this.#pool?.renew();
    this.#highPool?.renew();
  }

  /** It has left: see `ConnectionPool.drain`. */
  drain(): void {
    this.#drained = true;
    clearTimeout(this.#leavingEnds);
    this.#pool?.drain();
    this.#highPool?.drain();
  }

  /** Ends its connections now. */
  destroy(): void {
    this.drain();
    this.#pool?.destroy();
    this.#highPool?.destroy();
  }

  /** What an assignment may change of a host that stays. */
  update(spec: HostSpec): void {
    this.hostname = spec.hostname ?? "";
    this.priority = spec.priority ?? 0;
    this.checkedAt = spec.checkedAt;
    this.#hashKey = spec.hashKey;
    this.metadata = spec.metadata ?? noMetadata;
    this.allMetadata = spec.allMetadata;
  }
}

export function hostKey(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
