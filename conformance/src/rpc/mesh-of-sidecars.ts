import assert from "node:assert/strict";
import { compile, type CompiledMesh } from "@fairlead/compile";
import { typeUrls } from "@fairlead/envoy-api";
import { CatalogueReplica, type Instance, instanceKey, type MeshNode, policyKey, serviceKey } from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";
import { ProxyRuntime } from "@fairlead/proxy-runtime";

const logger = { debug() {}, info() {}, warn() {}, error() {} };

export type Published = Pick<Instance, "nodeId" | "interface" | "protocol" | "port"> & Partial<Instance>;

/** Sidecars with what is compiled for them, without the way over bus and gateway. */
export class MeshOfSidecars implements AsyncDisposable {
  readonly mesh: CompiledMesh;
  readonly #proxies = new Map<string, ProxyRuntime>();

  private constructor(mesh: CompiledMesh) {
    this.mesh = mesh;
  }

  static async start(
    nodes: readonly (Pick<MeshNode, "id"> & Partial<MeshNode>)[],
    instances: readonly Published[],
    policies = "",
  ): Promise<MeshOfSidecars> {
    const catalogue = new CatalogueReplica();
    catalogue.revision = 1;
    for (const node of nodes) catalogue.nodes.set(node.id, { app: node.id, address: "127.0.0.1", labels: {}, ...node });
    for (const published of instances) {
      const instance: Instance = {
        version: "",
        group: "",
        methods: [],
        labels: {},
        weight: 100,
        state: "ready",
        ...published,
      };
      catalogue.instances.set(instanceKey(instance), instance);
      catalogue.services.set(serviceKey(instance), { interface: instance.interface, protocol: instance.protocol });
    }
    const parsed = policies === "" ? [] : parsePolicies(policies, { file: "p.yaml" }).policies;
    for (const { object } of parsed) catalogue.policies.set(policyKey(object), object);
    const mesh = compile(catalogue);
    assert.deepEqual(mesh.rejected, []);
    const sidecars = new MeshOfSidecars(mesh);
    for (const { id } of nodes) await sidecars.#startProxy(id);
    return sidecars;
  }

  stat(node: string, name: string): number {
    return this.#proxies.get(node)?.stats().get(name) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()));
  }

  async #startProxy(node: string): Promise<void> {
    const proxy = new ProxyRuntime({ logger, nodeId: node, drainTimeoutMs: 1000 });
    this.#proxies.set(node, proxy);
    const view = this.mesh.nodes.get(node)!;
    const keys = new Set([...this.mesh.scopes.get(view.scopeId)!.keys, ...view.keys]);
    for (const typeUrl of [typeUrls.cluster, typeUrls.endpoint, typeUrls.listener, typeUrls.route]) {
      const resources = [...this.mesh.resources.values()].filter(
        (resource) => resource.typeUrl === typeUrl && keys.has(resource.key) && !resource.onDemand,
      );
      assert.deepEqual(await proxy.apply(typeUrl, resources), []);
    }
  }
}
