import type { HeaderMap, RequestHead } from "@fairlead/proxy-stream";
import { compileHeader, compileMatch, type RequestTest } from "./compile-match.ts";
import { applyMutation } from "./header-mutation.ts";
import { compileRegexRewrite } from "./regex-rewrite.ts";
import { invalidRoute } from "./route-error.ts";
import type {
  HeaderMutation,
  HeaderMutations,
  RetryPolicy,
  RouteAction,
  RouteSpec,
  RouteTableSpec,
  VirtualHostSpec,
  WeightedCluster,
} from "./route-spec.ts";

/** One route, ready to use; immutable, shared by all requests that take it. */
export class RouteEntry {
  readonly name: string;
  readonly virtualHost: string;
  readonly action: RouteAction;
  readonly includeAttemptCount: boolean;
  readonly retry: RetryPolicy | undefined;
  /** For `retriable-headers`. */
  readonly retriableHeaders: readonly ((head: { readonly headers: HeaderMap }) => boolean)[];
  readonly matches: RequestTest;
  readonly #spec: RouteSpec;
  readonly #totalWeight: number;
  readonly #request: readonly HeaderMutation[];
  readonly #response: readonly HeaderMutation[];
  readonly #mostSpecificWins: boolean;
  readonly #rewritePath: ((path: string) => string) | undefined;

  /** @throws FairleadError FL_ROUTE_INVALID */
  constructor(table: RouteTableSpec, host: VirtualHostSpec, spec: RouteSpec, where: string) {
    this.name = spec.name;
    this.virtualHost = host.name;
    this.action = spec.action;
    this.#spec = spec;
    this.includeAttemptCount = host.includeAttemptCount === true;
    this.matches = compileMatch(spec.match, where);
    this.retry = spec.action.kind === "forward" ? (spec.action.retry ?? host.retry) : undefined;
    this.retriableHeaders = (this.retry?.headers ?? []).map((header) =>
      compileHeader(header, `${where}.retriable_headers`),
    );
    this.#totalWeight = spec.action.kind === "forward" ? totalWeight(spec.action.clusters, where) : 0;
    this.#mostSpecificWins = table.mostSpecificMutationsWin === true;
    const layers = [spec.mutations, host.mutations, table.mutations];
    this.#request = this.#order(layers, (layer) => layer.request);
    this.#response = this.#order(layers, (layer) => layer.response);
    this.#rewritePath = compileRewrite(spec, where);
  }

  /** Where its requests may be sent; empty when it answers itself. */
  get clusterNames(): readonly string[] {
    return this.action.kind === "forward"
      ? this.action.clusters.filter(({ weight }) => weight > 0).map(({ name }) => name)
      : [];
  }

  /** @param random uniform in [0, 1); asked only where there is a choice */
  pickCluster(random: () => number): WeightedCluster | undefined {
    if (this.action.kind !== "forward") return undefined;
    const { clusters } = this.action;
    if (clusters.length === 1) return clusters[0];
    let point = random() * this.#totalWeight;
    for (const cluster of clusters) {
      point -= cluster.weight;
      if (point < 0) return cluster;
    }
    return clusters.findLast((cluster) => cluster.weight > 0);
  }

  /** Path, host and headers as the route wants them upstream. */
  changeRequest(head: RequestHead, cluster: WeightedCluster): void {
    if (this.action.kind !== "forward") return;
    this.#mutate(this.#request, cluster.mutations?.request, head.headers);
    const hostRewrite = cluster.hostRewrite ?? this.action.hostRewrite;
    if (hostRewrite !== undefined) {
      if (this.action.appendForwardedHost === true) head.headers.add("x-forwarded-host", head.authority);
      head.authority = hostRewrite;
    }
    if (this.#rewritePath === undefined) return;
    const path = this.#rewritePath(head.path);
    if (path === head.path) return;
    head.headers.set("x-envoy-original-path", head.path);
    head.path = path;
  }

  /** @param cluster that answered; undefined for a response of the proxy itself */
  changeResponse(headers: HeaderMap, cluster?: WeightedCluster): void {
    this.#mutate(this.#response, cluster?.mutations?.response, headers);
  }

  /** The `location` of a redirect. */
  redirectLocation(head: RequestHead): string {
    if (this.action.kind !== "redirect") return "";
    const { action } = this;
    const scheme = action.scheme ?? head.scheme;
    const colon = /:\d*$/.exec(head.authority)?.index;
    const bareHost = colon === undefined ? head.authority : head.authority.slice(0, colon);
    // A port of the old scheme makes no sense in the new one.
    const oldPort = colon === undefined || scheme !== head.scheme ? "" : head.authority.slice(colon);
    const port = action.port === undefined ? (action.host === undefined ? oldPort : "") : `:${action.port}`;
    const mark = head.path.indexOf("?");
    const query = mark === -1 || action.stripQuery ? "" : head.path.slice(mark);
    if (action.path !== undefined) {
      const own = action.path.includes("?") ? "" : query;
      return `${scheme}://${action.host ?? bareHost}${port}${action.path}${own}`;
    }
    const path = this.#rewritePath === undefined ? head.path : this.#rewritePath(head.path);
    const end = path.indexOf("?");
    return `${scheme}://${action.host ?? bareHost}${port}${end === -1 ? path : path.slice(0, end)}${query}`;
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
  #mutate(mutations: readonly HeaderMutation[], ofCluster: HeaderMutation | undefined, headers: HeaderMap): void {
    if (ofCluster !== undefined && !this.#mostSpecificWins) applyMutation(ofCluster, headers);
    for (const mutation of mutations) applyMutation(mutation, headers);
    if (ofCluster !== undefined && this.#mostSpecificWins) applyMutation(ofCluster, headers);
  }

  get matchedBy(): string {
    return `${this.#spec.match.path.kind} ${this.#spec.match.path.value}`;
  }
}

function totalWeight(clusters: readonly WeightedCluster[], where: string): number {
  const total = clusters.reduce((sum, cluster) => sum + cluster.weight, 0);
  if (total <= 0) throw invalidRoute(`${where}.route.weighted_clusters`, "the sum of the weights is 0");
  return total;
}

/** On the path without its query, which stays. */
function compileRewrite(spec: RouteSpec, where: string): ((path: string) => string) | undefined {
  if (spec.action.kind === "direct") return undefined;
  const { prefixRewrite } = spec.action;
  const { path: match } = spec.match;
  if (prefixRewrite !== undefined) {
    const byPrefix = match.kind === "prefix" || match.kind === "separatedPrefix";
    return onPath((path) => prefixRewrite + (byPrefix ? path.slice(match.value.length) : ""));
  }
  const regexRewrite = spec.action.kind === "forward" ? spec.action.regexRewrite : undefined;
  if (regexRewrite === undefined) return undefined;
  return onPath(compileRegexRewrite(regexRewrite.pattern, regexRewrite.substitution, `${where}.route.regex_rewrite`));
}

function onPath(rewrite: (path: string) => string): (path: string) => string {
  return (path) => {
    const mark = path.indexOf("?");
    const rewritten = mark === -1 ? rewrite(path) : rewrite(path.slice(0, mark)) + path.slice(mark);
    // Configuration must not be able to make a request line of something else.
    return rewritten.startsWith("/") ? rewritten : `/${rewritten}`;
  };
}
