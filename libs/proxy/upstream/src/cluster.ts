import type { TimerWheel } from "@fairlead/timer-wheel";
import { AggregateHosts } from "./aggregate-hosts.ts";
import type { AssignmentPolicy } from "./assignment-policy.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import type { ClusterConfig, HostSpec } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import { createConnectionPool } from "./create-connection-pool.ts";
import { HealthChecker } from "./health-checker.ts";
import type { Destination, HostChoice } from "./host-choice.ts";
import { type HostEntry, HostSet, type HostSetContext } from "./host-set.ts";
import { createProbers } from "./host-prober.ts";
import { HostSettings } from "./host-settings.ts";
import { Host, hostKey, type HostOwner } from "./host.ts";
import { OriginalDestinations } from "./original-destinations.ts";
import { OutlierDetector } from "./outlier-detector.ts";
import { type HealthReporter, ReportedHealth } from "./reported-health.ts";
import { SubsetHosts } from "./subset-hosts.ts";

export interface ClusterContext {
  readonly wheel: TimerWheel;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Monotonic, in milliseconds. @default performance.now */
  readonly now?: () => number;
  /** For clusters that have the hosts of others. @default there are none */
  readonly clusterOf?: ((name: string) => Cluster | undefined) | undefined;
  /** Where this proxy is, and the cluster of those that call as it does. @default not known */
  readonly zone?: { readonly locality: string; readonly cluster: string } | undefined;
  /** Another thread that checks hosts and puts them out. @default this one does */
  readonly reporter?: HealthReporter | undefined;
  /** Told whenever this thread may have found another health of a host, or that all were checked; and when the cluster is given up. */
  readonly onHealth?: ((cluster: Cluster) => void) | undefined;
}

const monotonicMs = (): number => performance.now();

/** One version of a cluster: its configuration, and hosts that come and go. */
export class Cluster {
  readonly config: ClusterConfig;
  readonly stats: ClusterStats;
  readonly breaker: CircuitBreaker;
  /** Of requests of high priority. */
  readonly highBreaker: CircuitBreaker;
  readonly #context: ClusterContext;
  readonly #now: () => number;
  readonly #outliers: OutlierDetector | undefined;
  readonly #checker: HealthChecker | ReportedHealth | undefined;
  /** The share of requests that the assignment wants turned away, 0 to 1. */
  dropOverload = 0;
  #overprovisioningPercent: number;
  readonly #setContext: HostSetContext;
  #hosts: HostSet;
  #subsets: SubsetHosts | undefined;
  readonly #settings: HostSettings;
  readonly #aggregate: AggregateHosts | undefined;
  readonly #destinations: OriginalDestinations | undefined;
  readonly #hostOwner: HostOwner = {
    createPool: ({ address, port, settings }, high) => {
      const ofPriority = high ? { ...settings, circuitBreakers: settings.highCircuitBreakers } : settings;
      return createConnectionPool(address, port, ofPriority, this.stats, this.#context.wheel);
    },
    onLeaving: () => this.#refresh(),
  };
  #closed = false;

  constructor(config: ClusterConfig, stats: ClusterStats, context: ClusterContext) {
    this.config = config;
    this.stats = stats;
    this.#settings = new HostSettings(config);
    this.breaker = new CircuitBreaker(stats, config.circuitBreakers);
    this.highBreaker = new CircuitBreaker(stats, config.highCircuitBreakers);
    this.#context = context;
    this.#now = context.now ?? monotonicMs;
    this.#overprovisioningPercent = config.overprovisioningPercent;
    this.#setContext = this.#createSetContext();
    this.#hosts = this.#createSet([]);
    const { clusterOf = () => undefined } = context;
    if (config.aggregates !== undefined)
      this.#aggregate = new AggregateHosts(config.aggregates, config, { clusterOf, random: context.random });
    if (config.originalDestination !== undefined)
      this.#destinations = new OriginalDestinations(
        config.originalDestination,
        (key) => (this.#hosts.byKey.get(key)?.activeRequests ?? 0) > 0,
        () => this.setHosts(this.#destinations?.specs() ?? []),
      );
    const { wheel, random } = context;
    const onChange = (): void => this.#refresh();
    const shared = { wheel, random, now: this.#now, onChange };
    const { reporter } = context;
    const [check] = config.healthChecks ?? [];
    if (reporter !== undefined) {
      if (check !== undefined || config.outlierDetection !== undefined)
        this.#checker = new ReportedHealth({ config, reporter, onChange });
      return;
    }
    if (config.outlierDetection !== undefined)
      this.#outliers = new OutlierDetector({ ...shared, config: config.outlierDetection, stats: stats.outlier });
    if (check !== undefined) {
      const checker = new HealthChecker({
        ...shared,
        check,
        stats,
        proberOf: createProbers(check, stats, wheel),
        onHealthy: (host) => this.#outliers?.unejectByCheck(host),
      });
      this.#checker = checker;
      checker.onFirstRound(() => this.#tellHealth());
    }
  }

  get hosts(): HostSet {
    return this.#hosts;
  }

  /** Whether this thread finds out by itself how its hosts do. */
  get watchesHosts(): boolean {
    return this.#context.reporter === undefined && (this.#outliers !== undefined || this.#checker !== undefined);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether each host has been checked once: before that a cluster with health checks is not ready. */
  get checked(): boolean {
    return this.#checker?.firstRoundDone ?? true;
  }

  /** Called once when each host has been checked. */
  onChecked(listener: () => void): void {
    if (this.#checker === undefined) listener();
    else this.#checker.onFirstRound(listener);
  }

  /**
   * The whole assignment. A host that stays keeps its connections; one that has left serves what it has and is not chosen again. One
   * whose health check still passes stays until it fails: who assigns may be wrong (Envoy's ignore_health_on_host_removal says otherwise).
   *
   * @param policy of this assignment
   */
  setHosts(specs: readonly HostSpec[], policy: AssignmentPolicy = {}): void {
    const before = this.#hosts.byKey;
    const after = new Map<string, HostEntry>();
    for (const spec of specs) {
      const key = hostKey(spec.address, spec.port);
      const known = before.get(key) ?? after.get(key)?.host;
      const host = known?.settings === this.#settings.of(spec) ? known : this.#createHost(spec);
      host.update(spec);
      after.set(key, {
        host,
        weight: spec.weight,
        health: spec.health,
        locality: spec.locality ?? "",
        localityWeight: spec.localityWeight ?? 1,
      });
    }
    this.#overprovisioningPercent = policy.overprovisioningPercent ?? this.config.overprovisioningPercent;
    this.dropOverload = policy.dropOverload ?? 0;
    const passing = this.#hosts.entries.filter((entry) => this.#outlasts(entry) && !after.has(entry.host.key));
    this.#replace([...after.values(), ...passing.map((entry) => ({ ...entry, unassigned: true }))]);
  }

  #outlasts({ host, health }: HostEntry): boolean {
    const { healthChecks = [], removesPassingHosts = false } = this.config;
    if (healthChecks.length === 0 || removesPassingHosts || host.checkedAt?.disabled === true) return false;
    return !host.failedCheck && (health === "healthy" || health === "degraded");
  }

  #replace(entries: readonly HostEntry[]): void {
    const before = this.#hosts.entries;
    const hosts = new Set(entries.map(({ host }) => host));
    this.#outliers?.setHosts(hosts);
    this.#checker?.setHosts(hosts);
    this.#use(this.#createSet(entries));
    for (const { host } of before) if (!hosts.has(host)) host.drain();
  }

  /** @returns undefined when there is none to choose; a host to avoid when no other was found */
  pickHost(choice?: HostChoice): Host | undefined {
    const host = this.#pick(choice);
    if (host === undefined) this.stats.upstream_cx_none_healthy++;
    return host;
  }

  #pick(choice: HostChoice | undefined): Host | undefined {
    if (this.#aggregate !== undefined) return this.#aggregate.pick(choice);
    if (this.#destinations !== undefined) return this.#hostAt(choice?.destination, this.#destinations);
    return this.#subsets === undefined ? this.#pickOfAll(choice) : this.#subsets.pick(choice);
  }

  #hostAt(destination: Destination | undefined, destinations: OriginalDestinations): Host | undefined {
    const used = destination === undefined || this.#closed ? undefined : destinations.use(destination);
    if (used === undefined) return undefined;
    if (used.isNew) this.setHosts(destinations.specs());
    return this.#hosts.byKey.get(used.key);
  }

  #pickOfAll(choice: HostChoice | undefined): Host | undefined {
    if (this.#hosts.panic) this.stats.lb_healthy_panic++;
    return this.#hosts.pick(choice);
  }

  /** @returns false when the circuit breaker is open: the request must not be sent */
  startRequest(breaker = this.breaker): boolean {
    const { stats } = this;
    stats.upstream_rq_total++;
    if (breaker.requestsFull) {
      stats.upstream_rq_active_overflow++;
      return false;
    }
    breaker.addRequests(1);
    return true;
  }

  endRequest(breaker = this.breaker): void {
    breaker.addRequests(-1);
  }

  /** Replaced or removed: as if all hosts had left. Requests under way end as they would have. */
  drain(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWatching();
    this.#tellHealth();
    for (const { host } of this.#hosts.entries) host.drain();
  }

  destroy(): void {
    this.#stopWatching();
    for (const { host } of this.#hosts.entries) host.destroy();
  }

  #stopWatching(): void {
    this.#destinations?.close();
    this.#outliers?.close();
    this.#checker?.close();
  }

  #createHost(spec: HostSpec): Host {
    const host = new Host(spec, this.#settings.of(spec), this.#hostOwner);
    host.readySinceMs = Math.floor(this.#now());
    return host;
  }

  #createSet(entries: readonly HostEntry[]): HostSet {
    const overprovisioningPercent = this.#overprovisioningPercent;
    const isOurs = overprovisioningPercent === this.config.overprovisioningPercent;
    return new HostSet(entries, isOurs ? this.config : { ...this.config, overprovisioningPercent }, this.#setContext);
  }

  #createSetContext(): HostSetContext {
    const { random, zone, clusterOf } = this.#context;
    if (zone === undefined || this.config.zoneAware === undefined) return { random, now: this.#now };
    const callers = (): HostSet | undefined => clusterOf?.(zone.cluster)?.hosts;
    return { random, now: this.#now, zone: { locality: zone.locality, callers, stats: this.stats } };
  }

  /** The same hosts, of which one has become healthy or not. */
  #refresh(): void {
    if (this.#closed) return;
    const { entries } = this.#hosts;
    const staying = entries.filter((entry) => entry.unassigned !== true || this.#outlasts(entry));
    if (staying.length === entries.length) this.#use(this.#createSet(entries));
    else this.#replace(staying);
  }

  #tellHealth(): void {
    if (this.watchesHosts) this.#context.onHealth?.(this);
  }

  #divide(hosts: HostSet): void {
    const { subsets } = this.config;
    if (subsets === undefined) return;
    const before = this.#subsets?.names() ?? new Set();
    this.#subsets = new SubsetHosts(hosts, this.config, subsets, this.stats, this.#setContext);
    const after = this.#subsets.names();
    this.stats.lb_subsets_created += after.difference(before).size;
    this.stats.lb_subsets_removed += before.difference(after).size;
    this.stats.lb_subsets_active = after.size;
  }

  #use(hosts: HostSet): void {
    this.#hosts = hosts;
    this.#divide(hosts);
    this.stats.membership_total = hosts.entries.length;
    this.stats.membership_healthy = hosts.healthy;
    this.stats.membership_degraded = hosts.degraded;
    this.stats.membership_excluded = hosts.excluded;
    this.#tellHealth();
  }
}
