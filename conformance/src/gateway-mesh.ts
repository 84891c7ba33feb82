import { type AdsGateway, adsGatewayConfig, createAdsGateway } from "@fairlead/ads-gateway";
import { buckets, InProcessBus, type KeyValue } from "@fairlead/bus";
import { compile, type CompiledMesh } from "@fairlead/compile";
import { createLogger } from "@fairlead/logging";
import {
  CatalogueReplica,
  type Instance,
  instanceKey,
  type MeshNode,
  type PolicyObject,
  policyKey,
  type Service,
  serviceKey,
} from "@fairlead/model";
import {
  bucketKeyOf,
  type CompiledResource,
  encodeHead,
  encodeNode,
  encodeResource,
  encodeScope,
  headKey,
} from "@fairlead/snapshot";
import { until } from "@fairlead/testing-basics";
import { z } from "zod";

const syncz = z.object({
  revision: z.number(),
  proxies: z.array(
    z.object({
      node: z.string(),
      userAgent: z.string(),
      types: z.array(z.object({ type: z.string(), state: z.string(), detail: z.string(), sentVersion: z.string() })),
    }),
  ),
});
const config = z.object({
  types: z.array(
    z.object({ type: z.string(), resources: z.array(z.object({ name: z.string(), onDemand: z.boolean() })) }),
  ),
});

/** A catalogue, its compilation, and a gateway that serves it: the control plane without store and servers. */
export class GatewayMesh {
  readonly catalogue = new CatalogueReplica();
  readonly #bus = new InProcessBus();
  readonly #written = new Map<string, string>();
  #bucket: KeyValue | undefined;
  #gateway: AdsGateway | undefined;

  get grpcPort(): number {
    return this.#gateway?.grpcPort ?? 0;
  }

  async start(grpcPort = 0): Promise<void> {
    this.#bucket = await this.#bus.keyValue(buckets.xds);
    const settings = { ...adsGatewayConfig.load({}), grpcPort, httpPort: 0, drainTimeout: 1000 };
    const logger = createLogger({ service: "conformance", level: process.env["FAIRLEAD_LOG_LEVEL"] ?? "silent" });
    const telemetry = { serveMetrics: () => undefined };
    this.#gateway = createAdsGateway(settings, { bus: this.#bus, logger, telemetry });
    await this.#gateway.start();
  }

  /** A new gateway on the same port: proxies connect again. */
  async restartGateway(): Promise<void> {
    const port = this.grpcPort;
    await this.#gateway?.stop();
    await this.start(port);
  }

  node(node: MeshNode): void {
    this.catalogue.nodes.set(node.id, node);
  }
  service(service: Service): void {
    this.catalogue.services.set(serviceKey(service), service);
  }
  instance(instance: Instance): void {
    this.catalogue.instances.set(instanceKey(instance), instance);
  }
  withdraw(instance: Instance): void {
    this.catalogue.instances.delete(instanceKey(instance));
  }
  policy(policy: PolicyObject): void {
    this.catalogue.policies.set(policyKey(policy), policy);
  }

  /** Compiles the catalogue and commits it. `patch` changes what was compiled, to serve what the compiler would not. */
  async commit(
    patch: (resource: CompiledResource) => CompiledResource = (resource) => resource,
  ): Promise<CompiledMesh> {
    this.catalogue.revision++;
    const mesh = compile(this.catalogue);
    if (mesh.rejected.length > 0) throw new Error(`not compiled: ${JSON.stringify(mesh.rejected)}`);
    const { revision } = mesh;
    const entries = new Map<string, Uint8Array>();
    for (const [key, resource] of mesh.resources)
      entries.set(bucketKeyOf("resource", key), encodeResource(patch(resource)));
    for (const [id, scope] of mesh.scopes) entries.set(bucketKeyOf("scope", id), encodeScope(scope, 0));
    for (const [id, node] of mesh.nodes) entries.set(bucketKeyOf("node", id), encodeNode(node, 0));
    await this.#write(entries);
    await this.#bucket?.put(
      headKey,
      encodeHead({ revision, traceparent: undefined, compiledAtMs: Date.now(), compilerId: "conformance" }),
    );
    await until("the gateway's revision", async () => (await this.syncz()).revision === revision);
    return mesh;
  }

  async #write(entries: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const [key, value] of entries) {
      const text = Buffer.from(value).toString("base64");
      if (this.#written.get(key) === text) continue;
      this.#written.set(key, text);
      await this.#bucket?.put(key, value);
    }
    for (const key of this.#written.keys()) {
      if (entries.has(key)) continue;
      this.#written.delete(key);
      await this.#bucket?.delete(key);
    }
  }

  async syncz(): Promise<z.output<typeof syncz>> {
    return syncz.parse(await (await fetch(`${this.#gateway?.debugUrl}/debug/syncz`)).json());
  }

  /** Names that the node is served without asking for them by name, by type URL. */
  async namesOf(nodeId: string): Promise<Map<string, string[]>> {
    const { types } = config.parse(
      await (await fetch(`${this.#gateway?.debugUrl}/debug/config?node=${encodeURIComponent(nodeId)}`)).json(),
    );
    return new Map(
      types.map(({ type, resources }) => [type, resources.filter((one) => !one.onDemand).map((one) => one.name)]),
    );
  }

  /** Resolves when the node has ACKed all types. */
  async acked(nodeId: string): Promise<void> {
    let last = "";
    const look = async () => {
      const proxy = (await this.syncz()).proxies.find((one) => one.node === nodeId);
      last = JSON.stringify(proxy?.types.map(({ type, state, detail }) => ({ type, state, detail })));
      return (
        proxy !== undefined &&
        proxy.types.length > 0 &&
        proxy.types.every(({ state }) => state === "ACKED" || state === "NOT_SUBSCRIBED")
      );
    };
    await until("all types ACKed", look).catch((error: unknown) => {
      throw new Error(`${String(error)}; they are ${last}`);
    });
  }

  async stop(): Promise<void> {
    await this.#gateway?.stop();
    await this.#bus.close();
  }
}
