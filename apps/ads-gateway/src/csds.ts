import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  ClientResourceStatus,
  UpdateFailureStateSchema,
} from "@fairlead/envoy-api/envoy/admin/v3/config_dump_shared_pb.js";
import { NodeSchema } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import {
  type ClientConfig,
  ClientConfig_GenericXdsConfigSchema,
  type ClientConfig_GenericXdsConfig,
  ClientConfigSchema,
  type ClientStatusRequest,
  ClientStatusResponseSchema,
  ConfigStatus,
} from "@fairlead/envoy-api/envoy/service/status/v3/csds_pb.js";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import type { NodeMatcher } from "@fairlead/envoy-api/envoy/type/matcher/v3/node_pb.js";
import { FairleadError } from "@fairlead/errors";
import type { ResourceView, SnapshotReplica } from "@fairlead/snapshot";
import type { ResourceStatus, TypeStatus } from "@fairlead/xds-stream";
import type { PeerIdentity } from "./authenticate.ts";
import type { ConnectionTable } from "./connection-table.ts";
import type { ProxyConnection } from "./proxy-connection.ts";

export interface ClientStatusOptions {
  readonly table: ConnectionTable;
  readonly replica: SnapshotReplica;
  /** Of one answer. @default 3.5 MiB: gRPC clients take 4 */
  readonly maxBytes?: number;
}

type Status = ResourceStatus["state"];

const configStatus: Readonly<Record<Status, ConfigStatus>> = {
  ACKED: ConfigStatus.SYNCED,
  SENT: ConfigStatus.STALE,
  NACKED: ConfigStatus.ERROR,
  MISSING: ConfigStatus.NOT_SENT,
};
const clientStatus: Readonly<Record<Status, ClientResourceStatus>> = {
  ACKED: ClientResourceStatus.ACKED,
  SENT: ClientResourceStatus.REQUESTED,
  NACKED: ClientResourceStatus.NACKED,
  MISSING: ClientResourceStatus.DOES_NOT_EXIST,
};

/** envoy.service.status.v3.ClientStatusDiscoveryService: what each proxy holds, from the table that /debug reads. */
export class ClientStatus {
  readonly #options: Required<ClientStatusOptions>;

  constructor(options: ClientStatusOptions) {
    this.#options = { maxBytes: 3.5 * 1024 * 1024, ...options };
  }

  /**
   * An encoded ClientStatusResponse with the proxies that fit, of those that the peer may be.
   *
   * @throws FairleadError FL_CSDS_UNSUPPORTED, FL_CSDS_TOO_LARGE
   */
  answer(request: ClientStatusRequest, identity: PeerIdentity): Buffer {
    const matchers = request.nodeMatchers.map(matcherOf);
    const config: ClientConfig[] = [];
    let bytes = 0;
    for (const connection of this.#options.table.all()) {
      const nodeId = connection.facts?.nodeId;
      if (nodeId === undefined || !identity.mayBe(nodeId)) continue;
      if (matchers.length > 0 && !matchers.some((fits) => fits(nodeId))) continue;
      const one = this.#clientConfig(connection, nodeId, request.excludeResourceContents);
      bytes += toBinary(ClientConfigSchema, one).byteLength;
      if (bytes > this.#options.maxBytes) {
        throw new FairleadError(
          "FL_CSDS_TOO_LARGE",
          `the status of ${config.length + 1} proxies is larger than an answer may be; narrow node_matchers, or set exclude_resource_contents`,
        );
      }
      config.push(one);
    }
    return Buffer.from(toBinary(ClientStatusResponseSchema, create(ClientStatusResponseSchema, { config })));
  }

  #clientConfig(connection: ProxyConnection, nodeId: string, withoutContents: boolean): ClientConfig {
    const view = this.#options.replica.viewOf(nodeId);
    const types = new Map(connection.status().map((type) => [type.typeUrl, type]));
    const genericXdsConfigs: ClientConfig_GenericXdsConfig[] = [];
    for (const resource of connection.resources()) {
      genericXdsConfigs.push(resourceConfig(resource, types.get(resource.typeUrl), withoutContents ? undefined : view));
    }
    const { app = "", userAgent = "" } = connection.facts ?? {};
    const node = create(NodeSchema, { id: nodeId, cluster: app, userAgentName: userAgent });
    return create(ClientConfigSchema, { node, genericXdsConfigs, clientScope: connection.id });
  }
}

function resourceConfig(
  { typeUrl, name, version, state }: ResourceStatus,
  type: TypeStatus | undefined,
  view: ResourceView | undefined,
): ClientConfig_GenericXdsConfig {
  const resource = view?.get(typeUrl, name);
  const lastUpdated = timestampFromMs(type?.sinceMs ?? 0);
  const error = { lastUpdateAttempt: lastUpdated, details: type?.detail ?? "", versionInfo: version };
  return create(ClientConfig_GenericXdsConfigSchema, {
    typeUrl,
    name,
    versionInfo: version,
    // What the proxy has of another version is not kept.
    ...(resource?.version === version ? { xdsConfig: create(AnySchema, { typeUrl, value: resource.body }) } : {}),
    lastUpdated,
    configStatus: configStatus[state],
    clientStatus: clientStatus[state],
    ...(state === "NACKED" ? { errorState: create(UpdateFailureStateSchema, error) } : {}),
  });
}

/** @throws FairleadError FL_CSDS_UNSUPPORTED */
function matcherOf({ nodeId, nodeMetadatas }: NodeMatcher): (nodeId: string) => boolean {
  if (nodeMetadatas.length > 0) throw unsupported("node_metadatas");
  if (nodeId === undefined) return () => true;
  const { matchPattern, ignoreCase } = nodeId;
  const plain = (text: string) => (ignoreCase ? text.toLowerCase() : text);
  const { case: kind } = matchPattern;
  if (kind === undefined || kind === "safeRegex" || kind === "custom")
    throw unsupported(`node_id.${kind ?? "nothing"}`);
  const value = plain(matchPattern.value);
  const fits = {
    exact: (text: string) => text === value,
    prefix: (text: string) => text.startsWith(value),
    suffix: (text: string) => text.endsWith(value),
    contains: (text: string) => text.includes(value),
  }[kind];
  return (text) => fits(plain(text));
}

function unsupported(field: string): FairleadError {
  return new FairleadError(
    "FL_CSDS_UNSUPPORTED",
    `node matchers by ${field} are not supported; use exact, prefix, suffix or contains of node_id`,
  );
}
