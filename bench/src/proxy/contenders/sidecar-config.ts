import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack, AnySchema } from "@bufbuild/protobuf/wkt";
import { compile } from "@fairlead/compile";
import { shortTypeName, typeUrls } from "@fairlead/envoy-api";
import { TransportSocketSchema } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { DownstreamTlsContextSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { DiscoveryResponseSchema } from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { CatalogueReplica, instanceKey, type MeshNode, type Protocol, serviceKey } from "@fairlead/model";
import { type ProxyCase, serviceName } from "../proxy-case.ts";
import { type ContenderInput, idleEndpoints } from "./contender.ts";

const caller: MeshNode = { id: "caller", app: "caller", address: "127.0.0.1", labels: {} };
const types = [typeUrls.cluster, typeUrls.endpoint, typeUrls.listener, typeUrls.route];

/** The mesh of the case: the service that is called, and others. */
function catalogueOf(protocol: Protocol, input: ContenderInput): CatalogueReplica {
  const catalogue = new CatalogueReplica();
  const publish = (name: string, address: string, port: number): void => {
    const node: MeshNode = { id: `${address}:${port}`, app: name, address, labels: {} };
    const service = { interface: name, protocol };
    const instance = { ...service, nodeId: node.id, port, version: "", group: "", methods: [], labels: {} };
    catalogue.nodes.set(node.id, node);
    catalogue.services.set(serviceKey(service), service);
    const ready = { ...instance, weight: 100, state: "ready" as const };
    catalogue.instances.set(instanceKey(ready), ready);
  };
  catalogue.nodes.set(caller.id, { ...caller, outboundPort: input.port });
  publish(serviceName, "127.0.0.1", input.backendPort);
  for (let i = 0; i < input.moreClusters; i += 1)
    for (const { address, port } of idleEndpoints(input.endpointsOfEach)) publish(`more-${i}`, address, port);
  return catalogue;
}

/** Clients of the outbound listener speak TLS to it: no policy asks for that, so the listener is given it afterwards. */
function withTls(body: Uint8Array, { chain, key }: ContenderInput["certificate"]): Uint8Array {
  const listener = fromBinary(ListenerSchema, body);
  const file = (filename: string) => ({ specifier: { case: "filename" as const, value: filename } });
  const context = create(DownstreamTlsContextSchema, {
    commonTlsContext: {
      alpnProtocols: ["http/1.1"],
      tlsCertificates: [{ certificateChain: file(chain), privateKey: file(key) }],
    },
  });
  for (const filterChain of listener.filterChains)
    filterChain.transportSocket = create(TransportSocketSchema, {
      name: "envoy.transport_sockets.tls",
      configType: { case: "typedConfig", value: anyPack(DownstreamTlsContextSchema, context) },
    });
  return toBinary(ListenerSchema, listener);
}

/** Writes what the compiler makes of the case as the sidecar keeps its last good configuration. */
export async function writeSidecarConfig(what: ProxyCase, input: ContenderInput): Promise<void> {
  const catalogue = catalogueOf(what.client === "http1" ? "http" : what.client === "grpc" ? "grpc" : "http2", input);
  const { resources, scopes, nodes } = compile(catalogue);
  const keys = [...scopes.get("everything")!.keys, ...nodes.get(caller.id)!.keys];
  const folder = join(input.folder, "config");
  await mkdir(folder, { mode: 0o700 });
  for (const typeUrl of types) {
    const bodies = keys.map((key) => resources.get(key)!).filter((resource) => resource.typeUrl === typeUrl);
    const response = create(DiscoveryResponseSchema, {
      typeUrl,
      resources: bodies.map(({ body }) => {
        const value = what.tls && typeUrl === typeUrls.listener ? withTls(body, input.certificate) : body;
        return create(AnySchema, { typeUrl, value });
      }),
    });
    const bytes = toBinary(DiscoveryResponseSchema, response);
    await writeFile(join(folder, `${shortTypeName(typeUrl)}.binpb`), bytes, { mode: 0o600 });
  }
}
