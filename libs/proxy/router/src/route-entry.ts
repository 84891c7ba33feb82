import type { HeaderMap, RequestHead } from "@fairlead/proxy-stream";
import { compileHeader, compileMatch, type HeaderTest, type RequestTest } from "./compile-match.ts";
import { type FilterOverrides, mergeOverrides } from "./filter-override.ts";
import { applyMutation, type HeaderMutation, type HeaderMutations } from "./header-mutation.ts";
import { type CompiledHostRewrite, compileHostRewrite } from "./host-rewrite.ts";
import type { InternalRedirectPolicy } from "./internal-redirect.ts";
import { compilePathRewrite } from "./path-rewrite.ts";
import { compileRateLimits, type RateLimitRule } from "./rate-limit-rule.ts";
import { redirectLocation } from "./redirect-location.ts";
import type { RouteMetadata } from "./resource-metadata.ts";
import type { RetryPolicy } from "./retry-policy.ts";
import type { ForwardAction, MirrorPolicy, RouteAction, WeightedCluster } from "./route-action.ts";
import { invalidRoute } from "./route-error.ts";
import type { RouteSpec, RouteTableSpec, VirtualHostSpec } from "./route-spec.ts";
import type { FindVirtualCluster } from "./virtual-cluster.ts";

/** One route, ready to use; immutable, shared by all requests that take it. */
export class RouteEntry {
  readonly name: string;
  readonly virtualHost: string;
  readonly action: RouteAction;
  readonly includeAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
  readonly includeTimeoutRetry: boolean;
  /** undefined = the router's own */
  readonly bufferLimitBytes: number | undefined;
  /** Of the most specific level that has any. */
  readonly mirrors: readonly MirrorPolicy[];
  readonly retry: RetryPolicy | undefined;
  /** For `retriable-headers`. */
  readonly retriableHeaders: readonly HeaderTest[];
  readonly retriableRequestHeaders: readonly HeaderTest[];
  readonly internalRedirects: InternalRedirectPolicy | undefined;
  readonly rateLimits: readonly RateLimitRule[];
  readonly hostRateLimits: readonly RateLimitRule[];
  readonly matches: RequestTest;
  readonly takesConnect: boolean;
  /** Of the route and its virtual host and table; a weighted cluster's own are before these. */
  readonly filters: FilterOverrides;
  /** Of its virtual host; undefined where that has none. */
  readonly findVirtualCluster: FindVirtualCluster | undefined;
  /** undefined where neither the route nor its virtual host has any. */
  readonly metadata: RouteMetadata | undefined;
  readonly #path: RouteSpec["match"]["path"];
  readonly #totalWeight: number;
  readonly #request: readonly HeaderMutation[];
  readonly #response: readonly HeaderMutation[];
  readonly #mostSpecificWins: boolean;
  readonly #rewritePath: ((path: string) => string) | undefined;
  readonly #rewriteHost: CompiledHostRewrite | undefined;
  /** Of the clusters that say more than where to; undefined when none does, as in most routes. */
  readonly #ofCluster: ReadonlyMap<WeightedCluster, CompiledCluster> | undefined;

  /** @throws FairleadError FL_ROUTE_INVALID */
  constructor(
    table: RouteTableSpec,
    host: VirtualHostSpec,
    spec: RouteSpec,
    where: string,
    findVirtualCluster?: FindVirtualCluster,
  ) {
    this.findVirtualCluster = findVirtualCluster;
    const forward = spec.action.kind === "forward" ? spec.action : undefined;
    this.name = spec.name;
    this.virtualHost = host.name;
    this.action = spec.action;
    this.#path = spec.match.path;
    this.includeAttemptCount = host.includeAttemptCount === true;
    this.includeAttemptCountInResponse = host.includeAttemptCountInResponse === true;
    this.includeTimeoutRetry = host.includeTimeoutRetry === true;
    this.bufferLimitBytes = spec.bufferLimitBytes ?? host.bufferLimitBytes;
    const levels = [forward?.mirrors, host.mirrors, table.mirrors];
    this.mirrors = levels.find((mirrors) => mirrors !== undefined && mirrors.length > 0) ?? none;
    this.internalRedirects = forward?.internalRedirects;
    this.rateLimits = orNone(compileRateLimits(forward?.rateLimits ?? [], `${where}.route.rate_limits`));
    this.hostRateLimits = orNone(compileRateLimits(host.rateLimits ?? [], `${where}.rate_limits`));
    this.matches = compileMatch(spec.match, where);
    this.takesConnect = spec.match.path.kind === "connect";
    this.retry = forward === undefined ? undefined : (forward.retry ?? host.retry);
    const test = (field: string) => (header: Parameters<typeof compileHeader>[0]) =>
      compileHeader(header, `${where}.${field}`);
    this.retriableHeaders = orNone((this.retry?.headers ?? []).map(test("retriable_headers")));
    this.retriableRequestHeaders = orNone((this.retry?.requestHeaders ?? []).map(test("retriable_request_headers")));
    this.#totalWeight = forward === undefined ? 0 : totalWeight(forward, where);
    this.#mostSpecificWins = table.mostSpecificMutationsWin === true;
    const layers = [spec.mutations, host.mutations, table.mutations];
    this.#request = orNone(this.#order(layers, (layer) => layer.request));
    this.#response = orNone(this.#order(layers, (layer) => layer.response));
    this.#rewritePath = compilePathRewrite(spec, `${where}.${spec.action.kind === "redirect" ? "redirect" : "route"}`);
    this.#rewriteHost = compileHostRewrite(forward?.hostRewrite, `${where}.route`);
    this.filters = mergeOverrides([spec.filters, host.filters, table.filters]);
    this.metadata =
      spec.metadata === undefined && host.metadata === undefined
        ? undefined
        : { route: spec.metadata, virtualHost: host.metadata };
    const saying = (forward?.clusters ?? []).filter(
      (one) => one.hostRewrite !== undefined || one.filters !== undefined,
    );
    if (saying.length > 0) this.#ofCluster = new Map(saying.map((one) => [one, this.#compileCluster(one, where)]));
  }

  /** Where its requests may be sent, as far as that is known beforehand; empty when it answers itself. */
  get clusterNames(): readonly string[] {
    return this.action.kind === "forward"
      ? this.action.clusters.filter(({ weight }) => weight > 0).map(({ name }) => name)
      : [];
  }

  /**
   * @param random uniform in [0, 1); asked only where there is a choice
   * @returns undefined when the route does not forward, or the request's header names no cluster
   */
  pickCluster(random: () => number, head?: RequestHead): WeightedCluster | undefined {
    if (this.action.kind !== "forward") return undefined;
    const { clusters, clusterHeader } = this.action;
    if (clusterHeader !== undefined) {
      const name = head?.headers.get(clusterHeader);
      return name === undefined || name === "" ? undefined : { name, weight: 1, subset: this.action.subset };
    }
    if (clusters.length === 1) return clusters[0];
    let point = (this.#shareOf(head) ?? random()) * this.#totalWeight;
    for (const cluster of clusters) {
      point -= cluster.weight;
      if (point < 0) return cluster;
    }
    return clusters.findLast((cluster) => cluster.weight > 0);
  }

  /** Where the request's header says it: in [0, 1). */
  #shareOf(head: RequestHead | undefined): number | undefined {
    const name = this.action.kind === "forward" ? this.action.weightHeader : undefined;
    const text = name === undefined ? undefined : head?.headers.get(name);
    if (text === undefined || !/^\d{1,19}$/.test(text)) return undefined;
    return Number(BigInt(text) % BigInt(this.#totalWeight)) / this.#totalWeight;
  }

  /** What it says about the listener's filters. */
  filtersFor(cluster: WeightedCluster | undefined): FilterOverrides {
    return cluster?.filters === undefined ? this.filters : (this.#ofCluster?.get(cluster)?.filters ?? this.filters);
  }

  /**
   * Path, host and headers as the route wants them upstream.
   *
   * @param stream for header values with command operators
   * @throws MatchTooLong
   */
  changeRequest(head: RequestHead, cluster: WeightedCluster, stream?: unknown): void {
    if (this.action.kind !== "forward") return;
    this.#mutate(this.#request, cluster.mutations?.request, head.headers, stream);
    const rewriteHost = this.#ofCluster?.get(cluster)?.rewriteHost ?? this.#rewriteHost;
    if (rewriteHost !== undefined) this.setHost(head, rewriteHost(head));
    if (this.#rewritePath === undefined) return;
    const path = this.#rewritePath(head.path);
    if (path === head.path) return;
    head.headers.set("x-envoy-original-path", head.path);
    head.path = path;
  }

  /** Whether the host is that of the endpoint. */
  get rewritesHostToEndpoint(): boolean {
    return this.action.kind === "forward" && this.action.hostRewrite?.kind === "auto";
  }

  setHost(head: RequestHead, host: string | undefined): void {
    if (host === undefined || host === head.authority || this.action.kind !== "forward") return;
    if (this.action.appendForwardedHost === true) head.headers.add("x-forwarded-host", head.authority);
    if (!head.headers.has("x-envoy-original-host")) head.headers.add("x-envoy-original-host", head.authority);
    head.authority = host;
  }

  /** @param cluster that answered; undefined for a response of the proxy itself */
  changeResponse(headers: HeaderMap, cluster?: WeightedCluster, stream?: unknown): void {
    this.#mutate(this.#response, cluster?.mutations?.response, headers, stream);
  }

  /** The `location` of a redirect. @throws MatchTooLong */
  redirectLocation(head: RequestHead): string {
    return this.action.kind === "redirect" ? redirectLocation(this.action, head, this.#rewritePath) : "";
  }

  get matchedBy(): string {
    return `${this.#path.kind} ${this.#path.value}`;
  }

  #compileCluster(cluster: WeightedCluster, where: string): CompiledCluster {
    return {
      rewriteHost: compileHostRewrite(cluster.hostRewrite, `${where}.route.weighted_clusters`),
      filters: mergeOverrides([cluster.filters, this.filters]),
    };
  }

  #order(
    layers: readonly (HeaderMutations | undefined)[],
    pick: (layer: HeaderMutations) => HeaderMutation | undefined,
  ): HeaderMutation[] {
    const found = layers.flatMap((layer) => {
      const mutation = layer === undefined ? undefined : pick(layer);
      return mutation === undefined ? [] : [mutation];
    });
    return this.#mostSpecificWins ? found.toReversed() : found;
  }

  /** What comes last wins. */
  #mutate(
    mutations: readonly HeaderMutation[],
    ofCluster: HeaderMutation | undefined,
    headers: HeaderMap,
    stream: unknown,
  ): void {
    if (ofCluster !== undefined && !this.#mostSpecificWins) applyMutation(ofCluster, headers, stream);
    for (const mutation of mutations) applyMutation(mutation, headers, stream);
    if (ofCluster !== undefined && this.#mostSpecificWins) applyMutation(ofCluster, headers, stream);
  }
}

const none: readonly never[] = [];

/** One empty list for all: a proxy has as many routes as services that it may call, and most of them say little. */
function orNone<Item>(list: readonly Item[]): readonly Item[] {
  return list.length === 0 ? none : list;
}

interface CompiledCluster {
  readonly rewriteHost: CompiledHostRewrite | undefined;
  readonly filters: FilterOverrides;
}

function totalWeight(action: ForwardAction, where: string): number {
  const total = action.clusters.reduce((sum, cluster) => sum + cluster.weight, 0);
  if (total <= 0 && action.clusterHeader === undefined)
    throw invalidRoute(`${where}.route.weighted_clusters`, "the sum of the weights is 0");
  return total;
}
