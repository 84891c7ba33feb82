import { readdir } from "node:fs/promises";
import { createRegistry, type DescFile, type DescMessage, type Registry } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { RpcProxySchema } from "@fairlead/fairlead-api";

/** The message that a resource of a type is. */
export const resourceSchemas: Readonly<Record<string, DescMessage>> = {
  [typeUrls.cluster]: ClusterSchema,
  [typeUrls.endpoint]: ClusterLoadAssignmentSchema,
  [typeUrls.listener]: ListenerSchema,
  [typeUrls.route]: RouteConfigurationSchema,
};

function isFile(value: unknown): value is DescFile {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "file";
}

/** Every message that was generated from Envoy's protos, and our own proxy's: whatever the compiler puts into an Any can be read. */
export async function envoyMessages(): Promise<Registry> {
  const generated = new URL("../gen/", import.meta.resolve("@fairlead/envoy-api"));
  const names = (await readdir(generated, { recursive: true })).filter((name) => name.endsWith("_pb.js"));
  const modules: object[] = await Promise.all(names.map(async (name) => await import(new URL(name, generated).href)));
  return createRegistry(RpcProxySchema, ...modules.flatMap((module) => Object.values(module).filter(isFile)));
}
