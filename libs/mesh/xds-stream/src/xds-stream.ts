import { typeUrls } from "@fairlead/envoy-api";
import { FairleadError } from "@fairlead/errors";
import { pushOrder, type ResourceView, type TouchedNames } from "@fairlead/snapshot";
import { ClusterReadiness } from "./cluster-readiness.ts";
import type { Contents, ResponsePlan } from "./contents.ts";
import type {
  DiscoveryStream,
  DiscoveryStreamOptions,
  OutgoingResponse,
  PendingOfType,
  StreamRequest,
  TypeStatus,
} from "./discovery-stream.ts";
import type { ResponseFields } from "./encode-response.ts";
import type { RevisionRange } from "./revision-range.ts";
import { canonical, requestedType } from "./stream-request.ts";
import type { Subscription } from "./subscription.ts";
import type { RequestOutcome, ResourceStatus } from "./type-request.ts";
import { TypeStream } from "./type-stream.ts";

/** xDS has a dozen types. */
const maxTypes = 32;
/** One who asks for nothing by name is meant to get everything (rule 35). */
export const legacyWildcardTypes: ReadonlySet<string> = new Set([typeUrls.cluster, typeUrls.listener]);
/** These refer to clusters. */
const usersOfClusters: readonly string[] = [typeUrls.listener, typeUrls.route];
const nothingToSend: readonly OutgoingResponse[] = [];

/** What differs between state of the world and delta. */
export interface StreamVariant {
  /** What is kept of a type that is asked for. */
  open(typeUrl: string): { readonly subscription: Subscription; readonly contents: Contents };
  encode(fields: ResponseFields): Buffer;
  /** Clients ask again for the endpoints of a cluster that they warm; else they are sent unasked (rule 64). */
  readonly warmingAsks: boolean;
}

/**
 * The state of one stream, of either variant.
 *
 * Make before break (rules 62 and 63): types go in `pushOrder`; listeners and routes wait until new clusters are ready at
 * the client; a cluster that is gone stays in the responses until listeners and routes are ACKed.
 */
export class XdsStream implements DiscoveryStream {
  readonly #options: DiscoveryStreamOptions & Required<Omit<DiscoveryStreamOptions, "onlyType">>;
  readonly #types = new Map<string, TypeStream>();
  /** In `pushOrder`. */
  #inOrder: readonly TypeStream[] = [];
  readonly #readiness: ClusterReadiness;
  readonly #variant: StreamVariant;
  #clusters: TypeStream | undefined;
  #endpoints: TypeStream | undefined;
  /** Clusters whose content was replaced since endpoints were last asked for: the client warms them. */
  readonly #warming = new Set<string>();
  #removalWaitsSince: number | undefined;
  #nonces = 0;

  constructor(options: DiscoveryStreamOptions, variant: StreamVariant) {
    this.#variant = variant;
    this.#options = { ackTimeoutMs: 15_000, maxNames: 10_000, maxResponseBytes: 3 * 1024 * 1024, ...options };
    this.#readiness = new ClusterReadiness(this.#options.ackTimeoutMs);
  }

  request(received: StreamRequest, view: ResourceView, revision: number, now: number): RequestOutcome {
    const typeUrl = requestedType(received.typeUrl, this.#options.onlyType);
    const request = canonical(received);
    const names = Math.max(request.names.length, request.unsubscribed?.length ?? 0);
    if (names > this.#options.maxNames) throw this.#tooManyNames(typeUrl, names);
    const type = this.#types.get(typeUrl) ?? this.#open(typeUrl);
    const outcome = type.request(request, view, revision, now);
    // In delta they add up.
    if (type.subscription.size > this.#options.maxNames) throw this.#tooManyNames(typeUrl, type.subscription.size);
    if (type === this.#clusters && (outcome.kind === "ack" || outcome.kind === "nack")) {
      const awaitsEndpoints = outcome.kind === "ack" && this.#endpoints?.subscription.empty === false;
      this.#readiness.clustersAnswered(awaitsEndpoints);
    }
    if (type === this.#endpoints && outcome.kind !== "nack" && outcome.kind !== "stale") {
      this.#sendWarming();
    }
    return outcome;
  }

  #tooManyNames(typeUrl: string, names: number): FairleadError {
    const { maxNames } = this.#options;
    return new FairleadError(
      "FL_XDS_TOO_MANY_NAMES",
      `a request for ${typeUrl} has ${names} names; a stream may have ${maxNames} of a type`,
      { facts: { typeUrl, names, maxNames } },
    );
  }

  announce(touched: TouchedNames, revisions: RevisionRange, view: ResourceView, now: number): number {
    let concerned = 0;
    for (const [typeUrl, names] of touched) {
      if (this.#types.get(typeUrl)?.announce(names, revisions, view, now) === true) concerned++;
    }
    return concerned;
  }

  release(): void {
    for (const type of this.#types.values()) type.contents.release();
  }

  releaseEndpoints(): void {
    this.#endpoints?.contents.release();
  }

  take(view: ResourceView, now: number): readonly OutgoingResponse[] {
    let isDue = false;
    let isMoreThanEndpoints = false;
    for (const type of this.#inOrder) {
      if (!type.contents.due) continue;
      isDue = true;
      isMoreThanEndpoints ||= type !== this.#endpoints;
    }
    if (!isDue) return nothingToSend;
    // What is sent is the newest state, so all that is announced goes along: else a route could overtake its cluster.
    // Endpoints refer to nothing, so they may go alone.
    if (isMoreThanEndpoints) this.release();
    const responses: OutgoingResponse[] = [];
    for (const type of this.#inOrder) {
      if (usersOfClusters.includes(type.typeUrl) && this.#clustersAreMissing(view, now)) {
        type.waitFor("it may refer to clusters that are not ready");
        continue;
      }
      const response = this.#takeOf(type, view, now);
      if (response !== undefined) responses.push(response);
    }
    // A change of routes that turned out to be none does not hold a removal back any more.
    if (this.#removalWaitsSince !== undefined) {
      for (const type of [this.#clusters, this.#endpoints]) {
        const removal = type === undefined ? undefined : this.#takeOf(type, view, now);
        if (removal !== undefined) responses.push(removal);
      }
    }
    return responses;
  }

  #takeOf(type: TypeStream, view: ResourceView, now: number): OutgoingResponse | undefined {
    const isClusters = type === this.#clusters;
    // Endpoints are told to be gone in delta only; they go with their clusters.
    const keepLost = (isClusters || type === this.#endpoints) && this.#lostClustersAreUsed(view, now);
    const { controlPlane, noncePrefix, maxResponseBytes } = this.#options;
    const sent = type.take(view, {
      keepLost,
      maxBytes: maxResponseBytes,
      nonce: () => `${noncePrefix}-${++this.#nonces}`,
      now,
    });
    if (keepLost && type.contents.due) type.waitFor("the removal waits until listeners and routes are ACKed");
    if (sent === undefined) return undefined;
    const { nonce, range, change, plan } = sent;
    if (isClusters) {
      for (const name of change.replaced) this.#warming.add(name);
      for (const name of change.added) if (this.#endpoints?.contents.holds(name) === true) this.#warming.add(name);
      if (!this.#variant.warmingAsks) this.#sendWarming();
      // Who names clusters one by one has the routes first.
      if (type.subscription.wildcard) this.#readiness.sent(change.added, (name) => type.contents.holds(name), now);
    }
    // What goes out behind the clusters needs no asking for.
    if (type === this.#endpoints) {
      const names = plan.resources.map(({ name }) => name);
      for (const name of names) this.#warming.delete(name);
      this.#readiness.endpointsSent([...names, ...plan.removed]);
    }
    const { typeUrl } = type;
    const bytes = this.#variant.encode({ typeUrl, nonce, controlPlane, plan });
    const count = plan.resources.length + plan.removed.length;
    return { typeUrl, nonce, versionInfo: plan.versionInfo, count, range, bytes };
  }

  /** Rule 64: the endpoints of replaced clusters go out again. */
  #sendWarming(): void {
    this.#endpoints?.contents.owe(this.#warming);
    this.#warming.clear();
  }

  /** Whether the client lacks a cluster: it is not ready there, or cannot be sent yet. */
  #clustersAreMissing(view: ResourceView, now: number): boolean {
    if (this.#readiness.waits(view, now)) return true;
    // Endpoints too: they may come back to a cluster that the client has had all the while.
    return [this.#clusters, this.#endpoints].some(
      (type) => type !== undefined && type.contents.due && type.blocked(now) && type.contents.lacksWanted(view),
    );
  }

  /** Whether listeners or routes may still refer to clusters that are gone. Not for ever: rule 65. */
  #lostClustersAreUsed(view: ResourceView, now: number): boolean {
    const settled = usersOfClusters.every((typeUrl) => this.#types.get(typeUrl)?.settled ?? true);
    const holders = [this.#clusters, this.#endpoints];
    if (settled || !holders.some((type) => type?.contents.holdsLost(view) === true)) {
      this.#removalWaitsSince = undefined;
      return false;
    }
    this.#removalWaitsSince ??= now;
    return now < this.#removalWaitsSince + this.#options.ackTimeoutMs;
  }

  deadline(now: number): number | undefined {
    let first = Infinity;
    const consider = (deadline = Infinity) => {
      if (deadline > now && deadline < first) first = deadline;
    };
    for (const type of this.#inOrder) consider(type.deadline);
    consider(this.#readiness.deadline);
    if (this.#removalWaitsSince !== undefined) consider(this.#removalWaitsSince + this.#options.ackTimeoutMs);
    return first === Infinity ? undefined : first;
  }

  get owes(): boolean {
    return this.#inOrder.some((type) => type.contents.owed);
  }

  wants(typeUrl: string): boolean {
    return this.#types.get(typeUrl)?.subscription.empty === false;
  }

  pending(): PendingOfType[] {
    const pending: PendingOfType[] = [];
    for (const type of this.#types.values()) {
      if (!type.hasPending) continue;
      for (const entry of type.pending()) pending.push({ typeUrl: type.typeUrl, ...entry });
    }
    return pending;
  }

  get hasPending(): boolean {
    for (const type of this.#types.values()) if (type.hasPending) return true;
    return false;
  }

  *resources(): Iterable<ResourceStatus> {
    for (const type of this.#types.values()) yield* type.resources();
  }

  status(): TypeStatus[] {
    return [...this.#types.values()].map((type) => ({
      typeUrl: type.typeUrl,
      state: type.state,
      sentVersion: type.sentVersion,
      ackedVersion: type.ackedVersion,
      revision: type.revision,
      detail: type.detail,
      sinceMs: type.sinceMs,
      resources: type.contents.count,
    }));
  }

  #open(typeUrl: string): TypeStream {
    if (this.#types.size >= maxTypes) {
      throw new FairleadError(
        "FL_XDS_TOO_MANY_TYPES",
        `a stream may have ${maxTypes} types; this one also asks for ${typeUrl}`,
        {
          facts: { typeUrl, maxTypes },
        },
      );
    }
    const onAnswered = ({ resources, removed }: ResponsePlan) => {
      this.#readiness.endpointsAnswered(resources.map(({ name }) => name));
      this.#readiness.endpointsAnswered(removed);
    };
    const type = new TypeStream(typeUrl, {
      ...this.#variant.open(typeUrl),
      ackTimeoutMs: this.#options.ackTimeoutMs,
      ...(typeUrl === typeUrls.endpoint ? { onAnswered } : {}),
    });
    if (typeUrl === typeUrls.cluster) this.#clusters = type;
    if (typeUrl === typeUrls.endpoint) this.#endpoints = type;
    this.#types.set(typeUrl, type);
    this.#inOrder = [...this.#types.values()].sort((a, b) => rankOf(a.typeUrl) - rankOf(b.typeUrl));
    return type;
  }
}

function rankOf(typeUrl: string): number {
  const rank = pushOrder.indexOf(typeUrl);
  return rank < 0 ? pushOrder.length : rank;
}
