import { setTimeout as sleep } from "node:timers/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import type { DiscoveryResponse } from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";

/** What it needs of an xDS client. */
export interface FollowingClient {
  subscribe(typeUrl: string): void;
  /** Rejects when the stream ends. */
  next(typeUrl: string): Promise<DiscoveryResponse>;
  ack(response: DiscoveryResponse): void;
  close(): void;
}

export interface FollowingProxyOptions {
  readonly connect: (address: string) => FollowingClient;
  /** `host:port` of gateways; the next one is tried when a stream ends. */
  readonly addresses: readonly string[];
}

const pauseMs = 20;

/** For tests: a proxy that ACKs what it gets, finds another gateway when its stream ends, and never gives up what it has. */
export class FollowingProxy {
  readonly #options: FollowingProxyOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #address = "";
  #held: ReadonlyMap<string, string> = new Map();
  /** Every set of clusters that it was sent, as `name@version`. */
  readonly history: string[] = [];
  streams = 0;

  constructor(options: FollowingProxyOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** The gateway that it has a stream with, or tries. */
  get address(): string {
    return this.#address;
  }

  /** Names of clusters to their version. */
  get held(): ReadonlyMap<string, string> {
    return this.#held;
  }

  async #run(): Promise<void> {
    const { addresses, connect } = this.#options;
    while (!this.#stopping.signal.aborted) {
      this.#address = addresses[this.streams++ % addresses.length] ?? "";
      const client = connect(this.#address);
      const stop = () => client.close();
      this.#stopping.signal.addEventListener("abort", stop);
      // Its stream has ended.
      await this.#follow(client).catch(() => undefined);
      this.#stopping.signal.removeEventListener("abort", stop);
      client.close();
      await sleep(pauseMs);
    }
  }

  async #follow(client: FollowingClient): Promise<never> {
    client.subscribe(typeUrls.cluster);
    for (;;) {
      const response = await client.next(typeUrls.cluster);
      const clusters = response.resources.map(({ value }) => fromBinary(ClusterSchema, value));
      this.#held = new Map(clusters.map(({ name, altStatName }) => [name, altStatName]));
      this.history.push(clusters.map(({ name, altStatName }) => `${name}@${altStatName}`).join(" "));
      client.ack(response);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}
