import { createRegistry, type DescMessage, fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { PreviousHostsPredicateSchema } from "@fairlead/envoy-api/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import type { XdsRejection } from "./xds-resource.ts";

/** What is inside an Any of ours. */
const registry = createRegistry(
  RouterSchema,
  HttpConnectionManagerSchema,
  PreviousHostsPredicateSchema,
  HttpProtocolOptionsSchema,
);

interface Dumped {
  readonly name: string;
  readonly body: Uint8Array;
  readonly state: string;
}

export interface ConfigDumpSource {
  readonly nodeId: string;
  readonly clusters: readonly Dumped[];
  readonly endpoints: readonly Dumped[];
  readonly listeners: readonly Dumped[];
  readonly routes: readonly Dumped[];
  /** By type URL: what the last response of the type had that was not applied. */
  readonly rejections: ReadonlyMap<string, readonly XdsRejection[]>;
}

/** Each resource as its JSON, with its state; decoded when somebody asks. */
export function renderConfigDump(source: ConfigDumpSource): object {
  return {
    node: source.nodeId,
    clusters: source.clusters.map((resource) => render(ClusterSchema, resource)),
    endpoints: source.endpoints.map((resource) => render(ClusterLoadAssignmentSchema, resource)),
    listeners: source.listeners.map((resource) => render(ListenerSchema, resource)),
    routes: source.routes.map((resource) => render(RouteConfigurationSchema, resource)),
    rejections: Object.fromEntries(source.rejections),
  };
}

function render(schema: DescMessage, resource: Dumped): object {
  let config: JsonValue;
  try {
    config = toJson(schema, fromBinary(schema, resource.body), { registry });
  } catch (error) {
    // A filter of a third party: its configuration has a type that is not in the registry.
    config = { error: error instanceof Error ? error.message : String(error) };
  }
  return { name: resource.name, state: resource.state, config };
}
