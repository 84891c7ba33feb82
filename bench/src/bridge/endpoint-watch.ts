import { fromBinary } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { XdsTestClient } from "@fairlead/testing-xds";

const timeoutMs = 60_000;

/** A proxy's view of the endpoints of clusters, as an ads-gateway sends it. */
export class EndpointWatch {
  readonly #client: XdsTestClient;
  readonly #counts = new Map<string, number>();
  readonly #waiting = new Set<{ readonly reached: () => boolean; readonly resolve: (atMs: number) => void }>();
  #stopped = false;

  constructor(address: string, clusters: readonly string[]) {
    this.#client = new XdsTestClient({ address, timeoutMs });
    this.#client.subscribe(typeUrls.cluster);
    this.#client.subscribe(typeUrls.endpoint, clusters);
    for (const type of [typeUrls.cluster, typeUrls.endpoint]) void this.#follow(type);
  }

  async #follow(typeUrl: string): Promise<void> {
    while (!this.#stopped) {
      const response = await this.#client.next(typeUrl).catch(() => undefined);
      if (response === undefined) continue;
      this.#client.ack(response);
      if (typeUrl !== typeUrls.endpoint) continue;
      for (const { value } of response.resources) {
        const { clusterName, endpoints } = fromBinary(ClusterLoadAssignmentSchema, value);
        this.#counts.set(clusterName, endpoints.reduce((sum, { lbEndpoints }) => sum + lbEndpoints.length, 0)); // prettier-ignore
      }
      const now = Date.now();
      for (const waiter of this.#waiting) {
        if (!waiter.reached()) continue;
        this.#waiting.delete(waiter);
        waiter.resolve(now);
      }
    }
  }

  /** When so many clusters had so many endpoints each. */
  async clusters(count: number, endpoints: number): Promise<number> {
    return await this.#reached(() => [...this.#counts.values()].filter((found) => found === endpoints).length >= count);
  }

  /** When this cluster had so many endpoints. */
  async cluster(name: string, endpoints: number): Promise<number> {
    return await this.#reached(() => this.#counts.get(name) === endpoints);
  }

  async #reached(reached: () => boolean): Promise<number> {
    if (reached()) return Date.now();
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not within ${timeoutMs} ms; ${this.#counts.size} clusters are there`)), timeoutMs); // prettier-ignore
      this.#waiting.add({
        reached,
        resolve: (atMs) => {
          clearTimeout(timer);
          resolve(atMs);
        },
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#client.close();
  }
}
