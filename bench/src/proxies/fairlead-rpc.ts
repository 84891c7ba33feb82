/** `node fairlead-rpc.ts <port> <backend port> bolt|dubbo`: the sidecar's data plane on what the compiler makes of one RPC service. */
import { compile } from "@fairlead/compile";
import { typeUrls } from "@fairlead/envoy-api";
import { CatalogueReplica, instanceKey, serviceKey } from "@fairlead/model";
import { ProxyRuntime } from "@fairlead/proxy-runtime";

const [port, backendPort] = process.argv.slice(2, 4).map(Number);
const service = {
  interface: "bench.Service",
  protocol: process.argv[4] === "bolt" ? ("bolt" as const) : ("dubbo" as const),
};
const catalogue = new CatalogueReplica();
const caller = { id: "caller", app: "caller", address: "127.0.0.1", outboundRpcPort: port, labels: {} };
const backend = { id: "backend", app: "backend", address: "127.0.0.1", labels: {} };
const instance = {
  ...service,
  nodeId: backend.id,
  port: backendPort!,
  version: "",
  group: "",
  methods: [],
  labels: {},
  weight: 100,
  state: "ready" as const,
};
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
