import { anyIs } from "@bufbuild/protobuf/wkt";
import { type Listener, ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { HttpInspectorSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { TlsInspectorSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { connectionManagerDefaults } from "@fairlead/proxy-filter";
import { noSecrets, type SecretLookup } from "../secrets/secret.ts";
import { durationMs } from "./duration.ts";
import { readFilterChain, type TranslatedChain } from "./filter-chain.ts";
import type { DownstreamTls } from "../tls-termination.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readAddress } from "./socket-address.ts";

export interface TranslatedListener {
  readonly name: string;
  readonly address: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Connections that wait to be accepted; the system's limit cuts it. @default 1024 */
  readonly backlog: number;
  readonly chains: readonly TranslatedChain[];
  /** For connections that no other takes; undefined: they are closed. */
  readonly defaultChain: TranslatedChain | undefined;
  /** Whether the first bytes of a connection decide on its chain. */
  readonly inspects: boolean;
  /** How long a client may take to send them. @default 15000 */
  readonly inspectTimeoutMs: number;
  /** The secrets that it waits for. */
  readonly secretNames: readonly string[];
}

/** The ends of TLS that it has. */
export function tlsOf({
  chains,
  defaultChain,
}: Pick<TranslatedListener, "chains" | "defaultChain">): readonly DownstreamTls[] {
  return [...chains, defaultChain].flatMap((chain) => chain?.tls ?? []);
}

const DEFAULT_INSPECT_MS = 15_000;

/** @throws FairleadError FL_XDS_REJECTED, FL_ROUTE_INVALID */
export function readListener(message: Listener, secrets: SecretLookup = noSecrets): TranslatedListener {
  // A port has one listener in one process here, so that reuse of the port changes nothing.
  refuseOthers(ListenerSchema, message, "", [
    "name",
    "address",
    "stat_prefix",
    "filter_chains",
    "default_filter_chain",
    "listener_filters",
    "listener_filters_timeout",
    "per_connection_buffer_limit_bytes",
    "metadata",
    "drain_type",
    "traffic_direction",
    "enable_reuse_port",
    "tcp_backlog_size",
    ...(message.bindToPort === true ? ["bind_to_port"] : []),
  ]);
  if (message.name === "") throw rejection("name", "is empty");
  checkListenerFilters(message);
  const limit = message.perConnectionBufferLimitBytes ?? connectionManagerDefaults.highWatermarkBytes;
  const chains = message.filterChains.map((chain, i) =>
    limited(readFilterChain(chain, `filter_chains[${i}].`, i, secrets), limit),
  );
  const defaultChain =
    message.defaultFilterChain === undefined
      ? undefined
      : limited(readFilterChain(message.defaultFilterChain, "default_filter_chain.", chains.length, secrets), limit);
  if (chains.length === 0 && defaultChain === undefined) throw rejection("filter_chains", "is empty");
  return {
    name: message.name,
    ...readAddress(message.address, "address"),
    backlog: message.tcpBacklogSize ?? 1024,
    chains,
    defaultChain,
    inspects: chains.some(
      ({ match }) => match.serverNames.length > 0 || match.transport !== "" || match.alpn.length > 0,
    ),
    inspectTimeoutMs: durationMs(message.listenerFiltersTimeout, DEFAULT_INSPECT_MS, "listener_filters_timeout"),
    secretNames: tlsOf({ chains, defaultChain }).flatMap((tls) => tls.secretNames),
  };
}

/** Both kinds of inspector are built in: what asks for them is enough. */
function checkListenerFilters(message: Listener): void {
  for (const [i, { configType, filterDisabled }] of message.listenerFilters.entries()) {
    const any = configType.case === "typedConfig" ? configType.value : undefined;
    if (any === undefined || !(anyIs(any, TlsInspectorSchema) || anyIs(any, HttpInspectorSchema)))
      throw rejection(
        `listener_filters[${i}]`,
        `${any?.typeUrl ?? "without typed_config"} is not supported; tls_inspector and http_inspector are`,
      );
    if (filterDisabled !== undefined)
      throw rejection(`listener_filters[${i}].filter_disabled`, "is not supported by this proxy");
  }
}

function limited(chain: TranslatedChain, highWatermarkBytes: number): TranslatedChain {
  if (chain.serves.kind !== "http") return chain;
  const { manager } = chain.serves;
  return {
    ...chain,
    serves: { kind: "http", manager: { ...manager, config: { ...manager.config, highWatermarkBytes } } },
  };
}
