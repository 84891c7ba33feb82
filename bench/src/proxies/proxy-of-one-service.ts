import { compile } from "@fairlead/compile";
import { typeUrls } from "@fairlead/envoy-api";
import {
  CatalogueReplica,
  type Instance,
  instanceKey,
  type MeshNode,
  type Protocol,
  serviceKey,
} from "@fairlead/model";
import { ProxyRuntime } from "@fairlead/proxy-runtime";

/**
 * Runs the sidecar's data plane in this process, on what the compiler makes of one service with one instance.
 *
 * @param listens where it takes calls: `outboundPort` for HTTP, `outboundRpcPort` for Dubbo and bolt
 */
export async function runProxyOfOneService(
  protocol: Protocol,
  listens: Pick<MeshNode, "outboundPort" | "outboundRpcPort">,
  backendPort: number,
): Promise<void> {
  const service = { interface: "bench.Service", protocol };
  const caller: MeshNode = { id: "caller", app: "caller", address: "127.0.0.1", labels: {}, ...listens };
  const backend: MeshNode = { id: "backend", app: "backend", address: "127.0.0.1", labels: {} };
  const instance: Instance = {
    ...service,
    nodeId: backend.id,
    port: backendPort,
    version: "",
    group: "",
    methods: [],
    labels: {},
    weight: 100,
    state: "ready",
  };
  const catalogue = new CatalogueReplica();
  for (const node of [caller, backend]) catalogue.nodes.set(node.id, node);
  catalogue.services.set(serviceKey(service), service);
  catalogue.instances.set(instanceKey(instance), instance);

  const { resources, scopes, nodes } = compile(catalogue);
  const held = [...scopes.get("everything")!.keys, ...nodes.get(caller.id)!.keys].map((key) => resources.get(key)!);
  const quiet = () => undefined;
  const runtime = new ProxyRuntime({
    nodeId: caller.id,
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  for (const typeUrl of [typeUrls.cluster, typeUrls.endpoint, typeUrls.listener, typeUrls.route]) {
    const rejected = await runtime.apply(
      typeUrl,
      held.filter((resource) => resource.typeUrl === typeUrl),
    );
    if (rejected.length > 0) throw new Error(JSON.stringify(rejected));
  }
}
