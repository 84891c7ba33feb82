import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { buckets, InProcessBus, type KeyValue, subjects } from "@fairlead/bus";
import { type GatewayStatus, GatewayStatusSchema } from "@fairlead/fairlead-api";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { typeUrls } from "@fairlead/envoy-api";
import { createLogger } from "@fairlead/logging";
import {
  bucketKeyOf,
  encodeHead,
  encodeNode,
  encodeResource,
  encodeScope,
  everythingScope,
  headKey,
} from "@fairlead/snapshot";
import type { Telemetry } from "@fairlead/telemetry";
import type { z } from "zod";
import type { Authenticate } from "./authenticate.ts";
import { type AdsGatewayConfig, adsGatewayConfig } from "./config.ts";
import { configAnswer } from "./debug/config.ts";
import { connectionsAnswer } from "./debug/connections.ts";
import { synczAnswer } from "./debug/syncz.ts";
import { type AdsGateway, createAdsGateway } from "./module.ts";

export interface ResourceForTest {
  readonly typeUrl: string;
  readonly name: string;
  /** @default that of the name: only one resource of a type has it */
  readonly key?: string;
  readonly version: string;
  readonly body: Uint8Array;
  readonly onDemand?: boolean;
}

/** A valid cluster whose bytes differ by version; `padding` makes it large. */
export function clusterForTest(name: string, version = "1", padding = 0): ResourceForTest {
  const altStatName = version + "x".repeat(padding);
  return {
    typeUrl: typeUrls.cluster,
    name,
    version,
    body: toBinary(ClusterSchema, create(ClusterSchema, { name, altStatName })),
  };
}
export function endpointForTest(name: string, version = "1"): ResourceForTest {
  const body = toBinary(ClusterLoadAssignmentSchema, create(ClusterLoadAssignmentSchema, { clusterName: name }));
  return { typeUrl: typeUrls.endpoint, name, version, body };
}
export function routeForTest(name: string, version = "1"): ResourceForTest {
  const body = toBinary(RouteConfigurationSchema, create(RouteConfigurationSchema, { name }));
  return { typeUrl: typeUrls.route, name, version, body };
}

export interface CommitForTest {
  readonly resources?: readonly ResourceForTest[];
  /** Keys, as `keyOf` gives them. */
  readonly removed?: readonly string[];
  /** Scope to keys. */
  readonly scopes?: Readonly<Record<string, readonly string[]>>;
  readonly nodes?: Readonly<Record<string, { readonly scope: string; readonly keys: readonly string[] }>>;
  readonly traceparent?: string;
}

export function keyOf({ typeUrl, name, key }: ResourceForTest): string {
  return key ?? `${typeUrl.split(".").at(-1)}/${name}`;
}

/** For tests: a gateway on an in-process bus whose bucket the test writes itself. All resources are in the scope of everything. */
export class GatewayUnderTest {
  readonly bus = new InProcessBus();
  readonly statuses: GatewayStatus[] = [];
  readonly gateway: AdsGateway;
  #bucket: KeyValue | undefined;
  readonly #closables: { close(): void }[] = [];
  readonly #everything = new Set<string>();
  revision = 0;

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
    this.#bucket = await this.bus.keyValue(buckets.xds);
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
    const bucket = this.#bucket;
    if (bucket === undefined) throw new Error("not started");
    const revision = ++this.revision;
    for (const resource of commit.resources ?? []) {
      const key = keyOf(resource);
      this.#everything.add(key);
      const { typeUrl, name, version, body, onDemand = false } = resource;
      const provenance = [{ kind: "service" as const, key: name }];
      await bucket.put(
        bucketKeyOf("resource", key),
        encodeResource({ key, typeUrl, name, version, body, onDemand, revision, provenance }),
      );
    }
    for (const key of commit.removed ?? []) {
      this.#everything.delete(key);
      await bucket.delete(bucketKeyOf("resource", key));
    }
    for (const [id, keys] of Object.entries({ [everythingScope]: [...this.#everything], ...commit.scopes })) {
      await bucket.put(bucketKeyOf("scope", id), encodeScope({ id, keys: new Set(keys) }, revision));
    }
    for (const [nodeId, { scope, keys }] of Object.entries(commit.nodes ?? {})) {
      await bucket.put(
        bucketKeyOf("node", nodeId),
        encodeNode({ nodeId, scopeId: scope, keys: new Set(keys) }, revision),
      );
    }
    await bucket.put(
      headKey,
      encodeHead({ revision, traceparent: commit.traceparent, compiledAtMs: 0, compilerId: "test" }),
    );
    return revision;
  }

  /** Writes bytes as they are. */
  async putRaw(key: string, value: Uint8Array): Promise<void> {
    await this.#bucket?.put(key, value);
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
    return await until(() => this.statuses.findLast(fits), timeoutMs);
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

/** Polls until there is a result. */
export async function until<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 5000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${String(look)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
