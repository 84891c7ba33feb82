import { create } from "@bufbuild/protobuf";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { StatusSchema } from "@fairlead/envoy-api/google/rpc/status_pb.js";
import { shortTypeName, typeUrls } from "@fairlead/envoy-api";
import { FairleadError } from "@fairlead/errors";
import { BackOff } from "@fairlead/reconnect";
import { type AdsClientOptions, nodeMessage } from "./ads-client-options.ts";
import { AdsConnection, type AdsConnectionState } from "./ads-connection.ts";
import { type AdsStream, deltaStreams, grpcStreams } from "./ads-stream.ts";
import type { RejectedResource } from "./config-consumer.ts";
import { decodeResources } from "./decode-resources.ts";
import type { LastGoodConfig } from "./last-good-config.ts";
import { InitialFetch } from "./initial-fetch.ts";
import { AdsMetrics } from "./metrics.ts";
import { type AdsTypeState, nackReason, TypeSubscription } from "./type-subscription.ts";
import "./errors.ts";

/** The order in which types are asked for: clusters before their endpoints and secrets, listeners before their routes. */
const typeOrder = [typeUrls.cluster, typeUrls.endpoint, typeUrls.secret, typeUrls.listener, typeUrls.route] as const;
const clusterTypes: readonly string[] = [typeUrls.cluster, typeUrls.endpoint];
/** What is asked for before the clusters are initialised. */
const firstTypes: readonly string[] = [...clusterTypes, typeUrls.secret];

/**
 * - `clusters`: waits for clusters and their endpoints
 * - `listeners`: waits for listeners and their routes
 * - `initialized`: all came once, or was given up on
 */
export type AdsPhase = "clusters" | "listeners" | "initialized";

/** The client's state, for operators. */
export interface AdsState extends AdsConnectionState {
  readonly phase: AdsPhase;
  readonly types: readonly AdsTypeState[];
}

/**
 * Keeps a proxy's configuration up to date over ADS, in Envoy's order of start:
 *
 *   CDS ──▶ EDS, SDS of the clusters ──▶ clusters initialised ──▶ LDS ──▶ RDS, SDS of the listeners
 *
 * What was applied stays when the stream is lost; the next stream goes on from its versions.
 */
export class AdsClient {
  readonly #options: AdsClientOptions;
  readonly #connection: AdsConnection;
  readonly #initialFetch: InitialFetch;
  readonly #metrics = new AdsMetrics();
  readonly #subscriptions: ReadonlyMap<string, TypeSubscription>;
  #forgetConsumer: (() => void) | undefined;
  #nodeSent = false;
  #phase: AdsPhase = "clusters";
  /**
   * While a response is applied, requests wait: all changes of names that it causes become one request a type. A stream
   * that is opened meanwhile asks for nothing until then, and what is not asked for is not applied: one at a time.
   */
  #applying = false;
  #stopped = false;
  /** The last good configuration is being applied: what comes waits for it. */
  #restoring: Promise<void> = Promise.resolve();
  /** By type, the names that the last good configuration had: they are not waited for. */
  readonly #restored = new Map<string, readonly string[]>();
  #restoreTimer: NodeJS.Timeout | undefined;
  readonly #changed = new Set<() => void>();

  /** @throws FairleadError FL_ADS_NO_ADDRESS */
  constructor(options: AdsClientOptions) {
    if (options.addresses.length === 0) {
      throw new FairleadError("FL_ADS_NO_ADDRESS", "the ADS client has no gateway to connect to");
    }
    this.#options = options;
    const now = options.now ?? Date.now;
    this.#connection = new AdsConnection({
      addresses: options.addresses,
      openStream: options.openStream ?? (options.variant === "delta" ? deltaStreams : grpcStreams)(options),
      backOff: new BackOff(options.backOff),
      healthyAfterMs: options.healthyAfterMs ?? 5000,
      now,
      logger: options.logger,
      metrics: this.#metrics,
      opened: () => this.#beginStream(),
      received: (stream, response) => this.#received(stream, response),
      lost: () => {
        for (const subscription of this.#subscriptions.values()) subscription.endStream();
        this.#notify();
      },
    });
    this.#initialFetch = new InitialFetch(options.initialFetchTimeoutMs ?? 15_000, (typeUrl, missing) =>
      this.#giveUpOn(typeUrl, missing),
    );
    this.#subscriptions = new Map(typeOrder.map((typeUrl) => [typeUrl, new TypeSubscription(typeUrl, now)]));
  }

  /** Begins to connect; returns at once. Call it once. */
  start(): void {
    const { consumer } = this.#options;
    this.#initialFetch.want(typeUrls.cluster);
    this.#forgetConsumer = consumer.onWantedNamesChanged(() => this.#tellWhatIsWanted());
    this.#connection.open();
    const { lastGood, lastGoodAfterMs = 2000 } = this.#options;
    if (lastGood !== undefined) {
      this.#restoreTimer = setTimeout(() => {
        this.#restoring = this.#restore(lastGood);
      }, lastGoodAfterMs);
    }
    consumer.onClustersInitialized(() => this.#askForListeners());
  }

  /** Ends the stream and every timer. The consumer keeps what it has. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#restoreTimer);
    this.#forgetConsumer?.();
    this.#initialFetch.close();
    this.#connection.close();
  }

  state(): AdsState {
    return {
      ...this.#connection.state(),
      phase: this.#phase,
      types: [...this.#subscriptions.values()].map((subscription) => subscription.state()),
    };
  }

  /** Called when `connected` or `phase` changed, and after each response. @returns unsubscribe */
  onStateChanged(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => this.#changed.delete(listener);
  }

  #beginStream(): void {
    this.#nodeSent = false;
    for (const subscription of this.#subscriptions.values()) subscription.beginStream();
    this.#tellWhatIsWanted();
  }

  async #received(stream: AdsStream, response: DiscoveryResponse): Promise<void> {
    if (stream !== this.#connection.stream) return;
    this.#connection.noteAnswer();
    const subscription = this.#subscriptions.get(response.typeUrl);
    if (subscription === undefined) {
      this.#refuseType(response);
    } else if (subscription.isAsked) {
      await this.#take(stream, subscription, response);
    } else {
      // No answer, as Envoy: a NACK without names would subscribe to everything.
      this.#options.logger.warn(
        { type: shortTypeName(response.typeUrl) },
        "the gateway sent a type that was not asked for; it is ignored",
      );
    }
    this.#notify();
  }

  /** No gateway has answered: better a configuration of yesterday than none. What comes later takes its place. */
  async #restore(lastGood: LastGoodConfig): Promise<void> {
    const { consumer, logger } = this.#options;
    const saved = await lastGood.load();
    if (this.#stopped || saved.size === 0 || this.#connection.state().lastConnectedAtMs !== undefined) return;
    logger.warn({ folder: lastGood.folder }, "no gateway answers; going on with the last good configuration");
    this.#applying = true;
    for (const typeUrl of typeOrder) {
      if (typeUrl === typeUrls.secret) continue;
      const resources = saved.get(typeUrl) ?? [];
      const names = resources.map(({ name }) => name);
      if (saved.has(typeUrl)) this.#restored.set(typeUrl, names);
      const rejected = await consumer.apply(typeUrl, resources);
      if (rejected.length > 0)
        logger.warn({ type: shortTypeName(typeUrl), reason: nackReason(rejected) }, "a part of it is not usable");
    }
    this.#applying = false;
    this.#tellWhatIsWanted();
    this.#notify();
  }

  async #take(stream: AdsStream, subscription: TypeSubscription, response: DiscoveryResponse): Promise<void> {
    const { logger } = this.#options;
    const { typeUrl } = subscription;
    const type = shortTypeName(typeUrl);
    clearTimeout(this.#restoreTimer);
    await this.#restoring;
    if (stream !== this.#connection.stream) return;
    subscription.receive(response);
    this.#applying = true;
    const rejected = await this.#apply(response);
    this.#applying = false;
    if (this.#stopped) return;

    if (rejected.length === 0) {
      subscription.accept(response);
      logger.debug(
        { type, version: response.versionInfo, resources: response.resources.length },
        "configuration applied",
      );
    } else {
      subscription.reject(response, rejected);
      logger.warn(
        { type, version: response.versionInfo, reason: nackReason(rejected) },
        "configuration rejected (NACK)",
      );
    }
    this.#metrics.response(type, rejected.length === 0 ? "ack" : "nack");
    // The stream may have been lost meanwhile; what was applied counts all the same.
    if (stream === this.#connection.stream) {
      const names = this.#wantedNames(typeUrl);
      this.#send(
        rejected.length === 0 ? subscription.ack(names) : subscription.nack(names),
        rejected.map(({ name }) => name),
      );
    }
    this.#tellWhatIsWanted();
    this.#noteListenersCame();
  }

  /** Never throws: whatever goes wrong with a response becomes its NACK. */
  async #apply(response: DiscoveryResponse): Promise<readonly RejectedResource[]> {
    const decoded = decodeResources(response);
    if ("unusable" in decoded) return decoded.unusable;
    try {
      const rejected = await this.#options.consumer.apply(response.typeUrl, decoded.resources);
      this.#initialFetch.came(
        response.typeUrl,
        decoded.resources.map(({ name }) => name),
      );
      const bad = new Set(rejected.map(({ name }) => name));
      // Keys are not written to disk: a start without control plane has listeners and clusters with secrets wait for them.
      if (response.typeUrl !== typeUrls.secret)
        this.#options.lastGood?.keep(
          response.typeUrl,
          decoded.resources.filter(({ name }) => !bad.has(name)),
          this.#options.consumer.wantedNames(response.typeUrl),
        );
      return rejected;
    } catch (error) {
      this.#options.logger.warn(
        { err: error, type: shortTypeName(response.typeUrl) },
        "applying a configuration failed",
      );
      return [{ name: "all resources", reason: error instanceof Error ? error.message : String(error) }];
    }
  }

  #refuseType(response: DiscoveryResponse): void {
    this.#options.logger.warn(
      { type: response.typeUrl.slice(0, 200) },
      "the gateway sent a type that this proxy does not know",
    );
    this.#metrics.response("other", "nack");
    this.#send(
      create(DiscoveryRequestSchema, {
        typeUrl: response.typeUrl,
        responseNonce: response.nonce,
        errorDetail: create(StatusSchema, {
          code: 13,
          message: `this proxy does not know the type ${response.typeUrl}`,
        }),
      }),
    );
  }

  /** Sends a request for each type whose wanted names the stream does not know yet. */
  #tellWhatIsWanted(): void {
    if (this.#applying || this.#stopped) return;
    for (const [typeUrl, subscription] of this.#subscriptions) {
      if (this.#phase === "clusters" && !firstTypes.includes(typeUrl)) continue;
      const names = this.#wantedNames(typeUrl);
      this.#initialFetch.want(typeUrl, names);
      const restored = this.#restored.get(typeUrl);
      if (restored !== undefined) this.#initialFetch.came(typeUrl, restored);
      if (this.#connection.stream === undefined) continue;
      const request = subscription.subscribe(names);
      if (request !== undefined) this.#send(request);
    }
    if (this.#restored.size > 0) this.#noteListenersCame();
  }

  /** Nobody wants all secrets: that names are not said means that there are none. */
  #wantedNames(typeUrl: string): readonly string[] | undefined {
    const names = this.#options.consumer.wantedNames(typeUrl);
    return typeUrl === typeUrls.secret ? (names ?? []) : names;
  }

  #send(request: DiscoveryRequest, rejected?: readonly string[]): void {
    if (!this.#nodeSent) {
      this.#nodeSent = true;
      request.node = nodeMessage(this.#options.node);
    }
    this.#connection.send(request, rejected);
  }

  #giveUpOn(typeUrl: string, missing: readonly string[]): void {
    this.#options.logger.warn(
      { type: shortTypeName(typeUrl), missing: missing.slice(0, 20), connected: this.#connection.state().connected },
      "not everything of this type came within the initial fetch time-out; going on without",
    );
    this.#subscriptions.get(typeUrl)?.giveUpFetch();
    this.#options.consumer.giveUpOn(typeUrl);
    if (clusterTypes.includes(typeUrl)) this.#askForListeners();
    else this.#noteListenersCame();
    this.#notify();
  }

  #askForListeners(): void {
    if (this.#phase !== "clusters" || this.#stopped) return;
    this.#phase = "listeners";
    this.#options.logger.info({}, "clusters initialized; asking for listeners");
    this.#tellWhatIsWanted();
    this.#notify();
  }

  #noteListenersCame(): void {
    if (this.#phase !== "listeners") return;
    const waitsFor = (typeUrl: string): boolean => this.#initialFetch.isWaitingFor(typeUrl);
    if (waitsFor(typeUrls.listener) || waitsFor(typeUrls.route) || waitsFor(typeUrls.secret)) return;
    this.#phase = "initialized";
    this.#options.logger.info({}, "configuration initialized");
  }

  #notify(): void {
    for (const listener of this.#changed) listener();
  }
}
