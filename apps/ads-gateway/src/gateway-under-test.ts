import { fromBinary } from "@bufbuild/protobuf";
import { buckets, InProcessBus, subjects } from "@fairlead/bus";
import { type GatewayStatus, GatewayStatusSchema } from "@fairlead/fairlead-api";
import { createLogger } from "@fairlead/logging";
import type { Telemetry } from "@fairlead/telemetry";
import { until } from "@fairlead/testing-basics";
import type { z } from "zod";
import type { Authenticate } from "./authenticate.ts";
import { type AdsGatewayConfig, adsGatewayConfig } from "./config.ts";
import { configAnswer } from "./debug/config.ts";
import { connectionsAnswer } from "./debug/connections.ts";
import { synczAnswer } from "./debug/syncz.ts";
import { type AdsGateway, createAdsGateway } from "./module.ts";
import { type CommitForTest, CommitWriter, type ResourceForTest } from "./testing/commit-writer.ts";

export {
  clusterForTest,
  type CommitForTest,
  endpointForTest,
  keyOf,
  type ResourceForTest,
  routeForTest,
} from "./testing/commit-writer.ts";

/** For tests: a gateway on an in-process bus whose bucket the test writes itself. All resources are in the scope of everything. */
export class GatewayUnderTest {
  readonly bus = new InProcessBus();
  readonly statuses: GatewayStatus[] = [];
  readonly gateway: AdsGateway;
  #writer: CommitWriter | undefined;
  readonly #closables: { close(): void }[] = [];

  constructor(
    overrides: { config?: Partial<AdsGatewayConfig>; authenticate?: Authenticate; telemetry?: Telemetry } = {},
  ) {
    const config = {
      ...adsGatewayConfig.load({ FAIRLEAD_GRPC_PORT: "0", FAIRLEAD_HTTP_PORT: "0", FAIRLEAD_DRAIN_TIMEOUT: "1s" }),
      ...overrides.config,
    };
    this.gateway = createAdsGateway(config, {
      bus: this.bus,
      logger: createLogger({ service: "test", level: process.env["TEST_LOG_LEVEL"] ?? "silent" }),
      telemetry: overrides.telemetry ?? { serveMetrics: (_request, response) => response.end() },
      ...(overrides.authenticate === undefined ? {} : { authenticate: overrides.authenticate }),
    });
  }

  async start(): Promise<void> {
    this.#writer = new CommitWriter(await this.bus.keyValue(buckets.xds));
    const subscription = this.bus.subscribe(subjects.proxyStatus, ({ data }) => {
      this.statuses.push(fromBinary(GatewayStatusSchema, data));
    });
    await subscription.ready;
    await this.gateway.start();
  }

  /** Starts with one commit of these resources. */
  static async serving(
    resources: readonly ResourceForTest[],
    overrides: ConstructorParameters<typeof GatewayUnderTest>[0] = {},
  ): Promise<GatewayUnderTest> {
    const mesh = new GatewayUnderTest(overrides);
    await mesh.start();
    await mesh.commit({ resources });
    await mesh.statusWhere((status) => status.revision >= 1n);
    return mesh;
  }

  /** Writes a commit as config-compiler does. @returns its revision */
  async commit(commit: CommitForTest): Promise<number> {
    if (this.#writer === undefined) throw new Error("not started");
    return await this.#writer.commit(commit);
  }

  /** Writes bytes as they are. */
  async putRaw(key: string, value: Uint8Array): Promise<void> {
    await this.#writer?.bucket.put(key, value);
  }

  /** Of the last commit. */
  get revision(): number {
    return this.#writer?.revision ?? 0;
  }

  /** Where proxies connect. */
  get address(): string {
    return `127.0.0.1:${this.gateway.grpcPort}`;
  }

  closeOnStop<T extends { close(): void }>(closable: T): T {
    this.#closables.push(closable);
    return closable;
  }

  /** The first status, of those published and those to come, that fits. */
  async statusWhere(fits: (status: GatewayStatus) => boolean, timeoutMs = 5000): Promise<GatewayStatus> {
    return await until(`a status with ${String(fits)}`, () => this.statuses.findLast(fits), timeoutMs);
  }

  async syncz(): Promise<z.output<typeof synczAnswer>> {
    return synczAnswer.parse(await this.debug("/debug/syncz"));
  }

  async connections(): Promise<z.output<typeof connectionsAnswer>["connections"]> {
    return connectionsAnswer.parse(await this.debug("/debug/connections")).connections;
  }

  async config(nodeId: string): Promise<z.output<typeof configAnswer>> {
    return configAnswer.parse(await this.debug(`/debug/config?node=${encodeURIComponent(nodeId)}`));
  }

  /** The answer of a debug page. */
  async debug(path: string): Promise<unknown> {
    const response = await fetch(`${this.gateway.debugUrl}${path}`);
    return await response.json();
  }

  async stop(): Promise<void> {
    for (const closable of this.#closables) closable.close();
    await this.gateway.stop();
    await this.bus.close();
  }
}
