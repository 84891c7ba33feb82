import { typeUrls } from "@fairlead/envoy-api";
import { FairleadError } from "@fairlead/errors";
import { pushOrder, type ResourceView, type TouchedNames } from "@fairlead/snapshot";
import { ClusterReadiness } from "./cluster-readiness.ts";
import type { ResponsePlan } from "./contents.ts";
import type {
  DiscoveryStream,
  DiscoveryStreamOptions,
  OutgoingResponse,
  PendingOfType,
  StreamRequest,
  TypeStatus,
} from "./discovery-stream.ts";
import { encodeResponse } from "./encode-response.ts";
import { FullSetContents } from "./full-set-contents.ts";
import { NamedContents } from "./named-contents.ts";
import { Subscription } from "./subscription.ts";
import { type RequestOutcome, TypeStream } from "./type-stream.ts";

/** xDS has a dozen types. */
const maxTypes = 32;
const fullSetTypes: ReadonlySet<string> = new Set([typeUrls.cluster, typeUrls.listener]);
/** These refer to clusters. */
const usersOfClusters: readonly string[] = [typeUrls.listener, typeUrls.route];

/**
 * The state of one state-of-the-world stream.
 *
 * Make before break (rules 62 and 63): types go in `pushOrder`; listeners and routes wait until new clusters are ready at
 * the client; a cluster that is gone stays in the responses until listeners and routes are ACKed.
 */
export class SotwStream implements DiscoveryStream {
  readonly #options: DiscoveryStreamOptions & Required<Omit<DiscoveryStreamOptions, "onlyType">>;
  readonly #types = new Map<string, TypeStream>();
  readonly #readiness: ClusterReadiness;
  #clusters: TypeStream<FullSetContents> | undefined;
  #endpoints: TypeStream<NamedContents> | undefined;
  /** Clusters whose content was replaced since endpoints were last asked for: the client warms them. */
  readonly #warming = new Set<string>();
  #removalWaitsSince: number | undefined;
  #nonces = 0;

  constructor(options: DiscoveryStreamOptions) {
    this.#options = { ackTimeoutMs: 15_000, maxNames: 10_000, maxResponseBytes: 3 * 1024 * 1024, ...options };
    this.#readiness = new ClusterReadiness(this.#options.ackTimeoutMs);
  }

  request(request: StreamRequest, view: ResourceView, revision: number, now: number): RequestOutcome {
    const { names } = request;
    const typeUrl = requestedType(request.typeUrl, this.#options.onlyType);
    if (names.length > this.#options.maxNames) {
      throw new FairleadError(
        "FL_XDS_TOO_MANY_NAMES",
        `a request for ${typeUrl} has ${names.length} names; a stream may have ${this.#options.maxNames} of a type`,
        { facts: { typeUrl, names: names.length, maxNames: this.#options.maxNames } },
      );
    }
    const type = this.#types.get(typeUrl) ?? this.#open(typeUrl);
    const outcome = type.request(request, view, revision, now);
    if (type === this.#clusters && (outcome.kind === "ack" || outcome.kind === "nack")) {
      const awaitsEndpoints = outcome.kind === "ack" && this.#endpoints?.subscription.empty === false;
      this.#readiness.clustersAnswered(awaitsEndpoints ? view : undefined);
    }
    if (type === this.#endpoints && outcome.kind !== "nack" && outcome.kind !== "stale") {
      this.#endpoints.contents.owe(this.#warming);
      this.#warming.clear();
    }
    return outcome;
  }

  announce(touched: TouchedNames, revision: number, view: ResourceView, now: number): number {
    let concerned = 0;
    for (const [typeUrl, names] of touched) {
      if (this.#types.get(typeUrl)?.announce(names, revision, view, now) === true) concerned++;
    }
    return concerned;
  }

  release(): void {
    for (const type of this.#types.values()) type.contents.release();
  }

  take(view: ResourceView, now: number): OutgoingResponse[] {
    const types = [...this.#types.values()].sort((a, b) => rankOf(a.typeUrl) - rankOf(b.typeUrl));
    if (!types.some((type) => type.contents.due)) return [];
    // What is sent is the newest state, so all that is announced goes along: else a route could overtake its cluster.
    this.release();
    const responses: OutgoingResponse[] = [];
    for (const type of types) {
      if (usersOfClusters.includes(type.typeUrl) && this.#clustersAreMissing(view, now)) {
        type.waitFor("it may refer to clusters that are not ready");
        continue;
      }
      const response = this.#takeOf(type, view, now);
      if (response !== undefined) responses.push(response);
    }
    // A change of routes that turned out to be none does not hold a removal back any more.
    const removal =
      this.#clusters === undefined || this.#removalWaitsSince === undefined
        ? undefined
        : this.#takeOf(this.#clusters, view, now);
    if (removal !== undefined) responses.push(removal);
    return responses;
  }

  #takeOf(type: TypeStream, view: ResourceView, now: number): OutgoingResponse | undefined {
    const isClusters = type === this.#clusters;
    const keepLost = isClusters && this.#lostClustersAreUsed(view, now);
    const { controlPlane, noncePrefix, maxResponseBytes } = this.#options;
    const sent = type.take(view, {
      keepLost,
      maxBytes: maxResponseBytes,
      nonce: () => `${noncePrefix}-${++this.#nonces}`,
      now,
    });
    if (keepLost && type.contents.due) type.waitFor("the removal waits until listeners and routes are ACKed");
    if (sent === undefined) return undefined;
    if (isClusters) {
      if (!keepLost) this.#removalWaitsSince = undefined;
      for (const name of this.#clusters?.contents.replaced ?? []) this.#warming.add(name);
      // Who names clusters one by one has the routes first.
      if (type.subscription.wildcard) this.#readiness.sent(sent.plan, this.#clusters?.contents.added ?? [], now);
    }
    // What goes out behind the clusters needs no asking for.
    if (type === this.#endpoints) for (const { name } of sent.plan.resources) this.#warming.delete(name);
    const { nonce, range } = sent;
    const { resources, versionInfo } = sent.plan;
    const { typeUrl } = type;
    const bytes = encodeResponse({ typeUrl, versionInfo, nonce, controlPlane, resources });
    return { typeUrl, nonce, versionInfo, count: resources.length, range, bytes };
  }

  /** Whether the client lacks a cluster: it is not ready there, or cannot be sent yet. */
  #clustersAreMissing(view: ResourceView, now: number): boolean {
    if (this.#readiness.waits(now)) return true;
    const clusters = this.#clusters;
    return (
      clusters !== undefined && clusters.contents.due && clusters.blocked(now) && clusters.contents.lacksWanted(view)
    );
  }

  /** Whether listeners or routes may still refer to clusters that are gone. Not for ever: rule 65. */
  #lostClustersAreUsed(view: ResourceView, now: number): boolean {
    const settled = usersOfClusters.every((typeUrl) => this.#types.get(typeUrl)?.settled ?? true);
    if (settled || this.#clusters?.contents.holdsLost(view) !== true) {
      this.#removalWaitsSince = undefined;
      return false;
    }
    this.#removalWaitsSince ??= now;
    return now < this.#removalWaitsSince + this.#options.ackTimeoutMs;
  }

  deadline(now: number): number | undefined {
    const deadlines = [...this.#types.values()].map((type) => type.deadline);
    deadlines.push(this.#readiness.deadline);
    if (this.#removalWaitsSince !== undefined) deadlines.push(this.#removalWaitsSince + this.#options.ackTimeoutMs);
    const first = Math.min(
      ...deadlines.filter((deadline) => deadline !== undefined).filter((deadline) => deadline > now),
    );
    return first === Infinity ? undefined : first;
  }

  get owes(): boolean {
    return [...this.#types.values()].some((type) => type.contents.owed);
  }

  pending(): PendingOfType[] {
    return [...this.#types.values()].flatMap((type) =>
      type.pending().map((entry) => ({ typeUrl: type.typeUrl, ...entry })),
    );
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
    const isFullSet = fullSetTypes.has(typeUrl);
    const subscription = new Subscription({ legacyWildcard: isFullSet });
    const { ackTimeoutMs } = this.#options;
    let type: TypeStream;
    if (isFullSet) {
      const fullSet = new TypeStream(typeUrl, {
        subscription,
        contents: new FullSetContents(typeUrl, subscription),
        ackTimeoutMs,
      });
      if (typeUrl === typeUrls.cluster) this.#clusters = fullSet;
      type = fullSet;
    } else {
      const isEndpoints = typeUrl === typeUrls.endpoint;
      const onAnswered = ({ resources }: ResponsePlan) =>
        this.#readiness.endpointsAnswered(resources.map(({ name }) => name));
      const named = new TypeStream(typeUrl, {
        subscription,
        contents: new NamedContents(typeUrl, subscription),
        ackTimeoutMs,
        ...(isEndpoints ? { onAnswered } : {}),
      });
      if (isEndpoints) this.#endpoints = named;
      type = named;
    }
    this.#types.set(typeUrl, type);
    return type;
  }
}

function rankOf(typeUrl: string): number {
  const rank = pushOrder.indexOf(typeUrl);
  return rank < 0 ? pushOrder.length : rank;
}

/** Rule 3: on ADS a request names its type; a service of one type may take it for granted. */
function requestedType(typeUrl: string, onlyType: string | undefined): string {
  if (typeUrl === "") {
    if (onlyType !== undefined) return onlyType;
    throw new FairleadError("FL_XDS_TYPE_MISSING", "a request on an ADS stream has no type_url");
  }
  if (onlyType !== undefined && typeUrl !== onlyType) {
    throw new FairleadError("FL_XDS_TYPE_FOREIGN", `this service has ${onlyType} alone, not ${typeUrl}`, {
      facts: { typeUrl, onlyType },
    });
  }
  return typeUrl;
}
