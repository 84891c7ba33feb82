import type { ProxyRuntimeOptions } from "./runtime-options.ts";
import type { XdsRejection, XdsResource } from "./xds-resource.ts";

export type ListenerState = "warming" | "active" | "draining";

export interface ListenerStatus {
  readonly name: string;
  readonly address: string;
  /** The bound port; the configured one while the listener warms. */
  readonly port: number;
  readonly state: ListenerState;
  readonly activeRequests: number;
}

/** The data plane: xDS resources in, a running proxy out. */
export class ProxyRuntime {
  constructor(options: ProxyRuntimeOptions) {
    void options;
  }

  /**
   * The state of the world of one type. Valid resources are applied even when others are rejected, as Envoy does.
   * Clusters and listeners that are missing are removed (drained); endpoints and routes that are missing stay.
   * Resolves when new listeners are bound (or refused), so that a failed bind is among the rejections.
   */
  apply(typeUrl: string, resources: readonly XdsResource[]): Promise<readonly XdsRejection[]> {
    throw new Error(`being written ${typeUrl} ${resources.length}`);
  }

  /** The names to subscribe to now: EDS service names of the clusters, RDS names of the listeners; undefined = wildcard. */
  wantedNames(typeUrl: string): readonly string[] | undefined {
    throw new Error(`being written ${typeUrl}`);
  }

  /** Called (in the same tick as the change) when `wantedNames` of a type changed. @returns a function that unsubscribes */
  onWantedNamesChanged(listener: (typeUrl: string) => void): () => void {
    throw new Error(`being written ${String(listener)}`);
  }

  /** True once CDS came and each cluster has its endpoints, or `giveUpOn` ended the wait. Never becomes false again. */
  clustersInitialized(): boolean {
    throw new Error("being written");
  }

  /** Called once; at once when it is so already. */
  onClustersInitialized(listener: () => void): void {
    throw new Error(`being written ${String(listener)}`);
  }

  /** The initial fetch of this type timed out: go on with what there is. */
  giveUpOn(typeUrl: string): void {
    throw new Error(`being written ${typeUrl}`);
  }

  listeners(): readonly ListenerStatus[] {
    throw new Error("being written");
  }

  /** Called when a listener appeared, changed its state, its routes or its configuration, or went. @returns unsubscribe */
  onListenersChanged(listener: () => void): () => void {
    throw new Error(`being written ${String(listener)}`);
  }

  /** The cluster that this listener would send such a request to now; undefined while it warms or has no route. */
  routeFor(listenerName: string, host: string, path?: string): { readonly cluster: string } | undefined {
    throw new Error(`being written ${listenerName} ${host} ${path ?? ""}`);
  }

  /** Requests under way to this cluster. */
  activeRequests(cluster: string): number {
    throw new Error(`being written ${cluster}`);
  }

  /** @returns true when there was no request to the cluster for `quietMs` in a row, false at `timeoutMs` */
  whenIdle(cluster: string, wait: { readonly quietMs: number; readonly timeoutMs: number }): Promise<boolean> {
    throw new Error(`being written ${cluster} ${wait.quietMs}`);
  }

  /** What is applied now, as JSON: for the admin's /config_dump. */
  configDump(): object {
    throw new Error("being written");
  }

  /** Hosts and counters of each cluster, as JSON: for the admin's /clusters. */
  clusterStats(): object {
    throw new Error("being written");
  }

  /** Counters and gauges by their Envoy names (`http.inbound.downstream_rq_total`, `cluster.x.upstream_cx_total`). */
  stats(): ReadonlyMap<string, number> {
    throw new Error("being written");
  }

  /** Stops accepting, closes connections after their current response, waits for requests for at most `drainTimeoutMs`. */
  drain(): Promise<void> {
    throw new Error("being written");
  }

  /** Ends all connections now. */
  close(): Promise<void> {
    throw new Error("being written");
  }
}
