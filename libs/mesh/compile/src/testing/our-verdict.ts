import { type DescMessage, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { requireValid } from "../validate/require-valid.ts";
import { registry } from "./json-of.ts";

const schemas: Readonly<Record<string, DescMessage>> = {
  cluster: ClusterSchema,
  listener: ListenerSchema,
  route: RouteConfigurationSchema,
};

/** @param json as Envoy's documentation writes it. @returns why it would never leave the compiler; undefined: it would */
export function ourVerdict(kind: "cluster" | "listener" | "route", json: JsonValue): string | undefined {
  const schema = schemas[kind]!;
  const message = fromJson(schema, json, { registry });
  try {
    requireValid(schema, message, "it", []);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
