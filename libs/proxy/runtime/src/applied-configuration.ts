import { shortTypeName, typeUrls } from "@fairlead/envoy-api";
import type { ClusterStore } from "./cluster/cluster-store.ts";
import type { ResourceInForce, ResourceState, TypeInForce } from "./config-dump/config-in-force.ts";
import type { ListenerStore } from "./listener/listener-store.ts";
import type { RouteStore } from "./route-store.ts";
import { RouteUpdates } from "./route-updates.ts";
import type { RuntimeLogger } from "./runtime-options.ts";
import { UpdateStats } from "./runtime-stats.ts";
import { type CertificateReport, reportCertificates } from "./secrets/certificate-report.ts";
import type { SecretStore } from "./secrets/secret-store.ts";
import { tlsOf } from "./translate/listener.ts";
import type { XdsRejection, XdsResource } from "./xds-resource.ts";

/** By Envoy's names of the managers that count them. Route configurations are counted each on its own. */
const updatePrefixes: Readonly<Record<string, string>> = {
  [typeUrls.cluster]: "cluster_manager.cds",
  [typeUrls.listener]: "listener_manager.lds",
  [typeUrls.endpoint]: "cluster_manager.eds",
  [typeUrls.secret]: "sds",
};

export interface AppliedConfigurationOptions {
  readonly logger: RuntimeLogger;
  readonly clusters: ClusterStore;
  readonly secrets: SecretStore;
  readonly routes: RouteStore;
  readonly listeners: ListenerStore;
  /** What listeners do, or where they may route to, may have changed. */
  readonly onChange: () => void;
}

/**
 * The xDS resources that are in force: each type goes to its store, in an order in which nobody waits for what will not come.
 *
 * ```
 *   CDS, EDS ─▶ ClusterStore      SDS ─▶ SecretStore ─▶ both
 *   LDS ─▶ ListenerStore ◀── RouteStore ◀─ RDS
 * ```
 */
export class AppliedConfiguration {
  readonly #logger: RuntimeLogger;
  readonly #clusters: ClusterStore;
  readonly #secrets: SecretStore;
  readonly #routes: RouteStore;
  readonly #listeners: ListenerStore;
  readonly #onChange: () => void;
  readonly #rejections = new Map<string, readonly XdsRejection[]>();
  readonly #wantedListeners = new Set<(typeUrl: string) => void>();
  readonly #wanted = new Map<string, string>();
  #initializedListeners: (() => void)[] = [];
  #initialized = false;
  /** LDS and RDS bind sockets: one after the other. */
  #binding: Promise<unknown> = Promise.resolve();
  /** Responses by the name of who counts them. */
  readonly updates = new Map<string, UpdateStats>();
  readonly routeUpdates = new RouteUpdates();

  constructor(options: AppliedConfigurationOptions) {
    this.#logger = options.logger;
    this.#clusters = options.clusters;
    this.#secrets = options.secrets;
    this.#routes = options.routes;
    this.#listeners = options.listeners;
    this.#onChange = options.onChange;
  }

  /**
   * The state of the world of one type. Valid resources are applied even when others are rejected, as Envoy does.
   * Clusters and listeners that are missing are removed (drained); endpoints and routes that are missing stay.
   * Resolves when new listeners are bound (or refused), so that a failed bind is among the rejections.
   */
  async apply(typeUrl: string, resources: readonly XdsResource[]): Promise<readonly XdsRejection[]> {
    const rejections = await this.#applyType(typeUrl, resources);
    this.#rejections.set(typeUrl, rejections);
    if (typeUrl === typeUrls.route) this.routeUpdates.noteApplied(resources, rejections);
    else this.#countUpdate(typeUrl, rejections);
    if (rejections.length > 0) this.#logger.warn({ type: shortTypeName(typeUrl), rejections }, "resources rejected");
    return rejections;
  }

  /** The names to subscribe to now: EDS service names of the clusters, RDS names of the listeners, SDS names of both; undefined = wildcard. */
  wantedNames(typeUrl: string): readonly string[] | undefined {
    if (typeUrl === typeUrls.endpoint) return this.#clusters.assignmentNames();
    if (typeUrl === typeUrls.route) return this.#listeners.routeNames();
    if (typeUrl === typeUrls.secret) return this.#secretNames();
    return typeUrl === typeUrls.cluster || typeUrl === typeUrls.listener ? undefined : [];
  }

  /** Called when `wantedNames` of a type changed, before the `apply` that changed it resolves. @returns a function that unsubscribes */
  onWantedNamesChanged(listener: (typeUrl: string) => void): () => void {
    this.#wantedListeners.add(listener);
    return () => this.#wantedListeners.delete(listener);
  }

  /** True once CDS came and each cluster has its endpoints, or `giveUpOn` ended the wait. Never becomes false again. */
  clustersInitialized(): boolean {
    return this.#initialized;
  }

  /** Called once; at once when it is so already. */
  onClustersInitialized(listener: () => void): void {
    if (this.#initialized) listener();
    else this.#initializedListeners.push(listener);
  }

  /** The initial fetch of this type timed out: go on with what there is. */
  giveUpOn(typeUrl: string): void {
    if (typeUrl === typeUrls.cluster) this.#clusters.giveUpOnClusters();
    else if (typeUrl === typeUrls.endpoint) this.#clusters.giveUpOnAssignments();
    else if (typeUrl === typeUrls.secret) {
      this.#secrets.giveUpOn(this.#secretNames());
      void this.#useSecrets();
    } else if (typeUrl === typeUrls.route) {
      this.routeUpdates.noteMissing(
        this.#listeners.routeNames().filter((name) => this.#routes.get(name) === undefined),
      );
      void this.#bindInTurn(() => this.#listeners.serveWithoutRoutes());
    }
    this.#checkInitialized();
  }

  /** What is applied now, by type: for the admin's /config_dump. */
  dump(): readonly TypeInForce[] {
    const inForce = (typeUrl: string, resources: Iterable<XdsResource & { readonly state?: ResourceState }>) => ({
      typeUrl,
      resources: Array.from(resources, ({ name, body, state = "active" }): ResourceInForce => ({ name, body, state })),
      rejections: this.#rejections.get(typeUrl) ?? [],
      missing: typeUrl === typeUrls.secret ? this.missingSecrets() : [],
    });
    const clusters = this.#clusters
      .clusters()
      .map(({ name, body, warming }) => ({ name, body, state: warming ? ("warming" as const) : ("active" as const) }));
    return [
      inForce(typeUrls.cluster, clusters),
      inForce(typeUrls.endpoint, this.#clusters.assignments()),
      inForce(typeUrls.listener, this.#listeners.all()),
      inForce(typeUrls.route, this.#routes.all()),
      inForce(typeUrls.secret, this.#secrets.all()),
    ];
  }

  /** The certificates of clusters and listeners, and when they end: for the admin's /certs. */
  certificates(): readonly CertificateReport[] {
    const clusters = this.#clusters
      .clusters()
      .flatMap(({ name, value }) =>
        value.config.tls === undefined ? [] : [{ user: `cluster ${name}`, source: value.config.tls.source }],
      );
    const listeners = [...this.#listeners.all()].flatMap(({ name, translated }) =>
      tlsOf(translated).map(({ source }) => ({ user: `listener ${name}`, source })),
    );
    return reportCertificates([...clusters, ...listeners], Date.now());
  }

  /** Names of secrets that clusters and listeners go by and that have not come, whether they are still waited for or not. */
  missingSecrets(): readonly string[] {
    return this.#secretNames().filter((name) => this.#secrets.get(name) === undefined);
  }

  /** Resolves when what was applied is bound, or refused. */
  async settled(): Promise<void> {
    await this.#binding.catch(() => undefined);
  }

  /** A cluster may have become ready. */
  onClustersChanged(): void {
    this.#checkInitialized();
    this.#onChange();
  }

  async #applyType(typeUrl: string, resources: readonly XdsResource[]): Promise<readonly XdsRejection[]> {
    switch (typeUrl) {
      case typeUrls.cluster:
        return this.#afterClusters(this.#clusters.applyClusters(resources));
      case typeUrls.endpoint:
        return this.#afterClusters(this.#clusters.applyAssignments(resources));
      case typeUrls.listener:
        return this.#bindInTurn(async () => {
          const rejections = await this.#listeners.apply(resources);
          const inUse = this.#listeners.routeNamesInUse();
          this.#routes.keepOnly(inUse);
          this.routeUpdates.keepOnly(inUse);
          this.#noteWantedNames(typeUrls.route);
          this.#noteWantedSecrets();
          return rejections;
        });
      case typeUrls.route:
        return this.#bindInTurn(async () => {
          const rejections = this.#routes.apply(resources);
          await this.#listeners.serveReady();
          return rejections;
        });
      case typeUrls.secret: {
        const rejections = this.#secrets.apply(resources);
        this.#secrets.keepOnly(this.#secretNames());
        await this.#useSecrets();
        return rejections;
      }
      default:
        return resources.map(({ name }) => ({
          name,
          reason: `resources of type ${typeUrl} are not supported by this proxy`,
        }));
    }
  }

  #afterClusters(rejections: readonly XdsRejection[]): readonly XdsRejection[] {
    this.#noteWantedNames(typeUrls.endpoint);
    this.#noteWantedSecrets();
    this.#checkInitialized();
    // A route leads somewhere only when its cluster is there.
    this.#onChange();
    return rejections;
  }

  #secretNames(): readonly string[] {
    return [...new Set([...this.#clusters.secretNames(), ...this.#listeners.secretNames()])].toSorted();
  }

  #noteWantedSecrets(): void {
    this.#secrets.keepOnly(this.#secretNames());
    this.#noteWantedNames(typeUrls.secret);
  }

  /** Who waited for a secret goes on. */
  async #useSecrets(): Promise<void> {
    this.#clusters.onSecrets();
    this.#checkInitialized();
    this.#onChange();
    await this.#bindInTurn(() => this.#listeners.serveReady());
  }

  #bindInTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#binding.then(work);
    this.#binding = result.catch(() => undefined);
    return result;
  }

  #noteWantedNames(typeUrl: string): void {
    const names = (this.wantedNames(typeUrl) ?? []).join("\n");
    if ((this.#wanted.get(typeUrl) ?? "") === names) return;
    this.#wanted.set(typeUrl, names);
    for (const listener of this.#wantedListeners) listener(typeUrl);
  }

  #checkInitialized(): void {
    if (this.#initialized || !this.#clusters.initialized) return;
    this.#initialized = true;
    const listeners = this.#initializedListeners;
    this.#initializedListeners = [];
    for (const listener of listeners) listener();
  }

  #countUpdate(typeUrl: string, rejections: readonly XdsRejection[]): void {
    const prefix = updatePrefixes[typeUrl] ?? shortTypeName(typeUrl);
    const stats = this.updates.get(prefix) ?? new UpdateStats();
    this.updates.set(prefix, stats);
    stats.update_attempt++;
    if (rejections.length === 0) stats.update_success++;
    else stats.update_rejected++;
  }
}
