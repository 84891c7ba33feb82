import {
  type Listener,
  Listener_DrainType,
  ListenerSchema,
} from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import {
  connectionManagerDefaults,
  type ListenerFilter,
  listenerFilterReader,
  listenerFilterTypes,
} from "@fairlead/proxy-filter";
import type { AccessLogSpec } from "../access-log/access-log.ts";
import "../listener-filters/index.ts";
import { originalDst } from "../listener-filters/original-dst.ts";
import { tlsInspector } from "../listener-filters/tls-inspector.ts";
import { noSecrets, type SecretLookup } from "../secrets/secret.ts";
import { readAccessLogs } from "./access-log.ts";
import { durationMs } from "./duration.ts";
import { readFilterChain, type TranslatedChain } from "./filter-chain.ts";
import type { DownstreamTls } from "../listener/tls-termination.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readAddress } from "./socket-address.ts";

export interface TranslatedListener {
  readonly name: string;
  readonly address: string;
  /** What its statistics are under. @default "": its address and port */
  readonly statPrefix: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Connections that wait to be accepted; the system's limit cuts it. @default 1024 */
  readonly backlog: number;
  readonly chains: readonly TranslatedChain[];
  /** For connections that no other takes; undefined: they are closed. */
  readonly defaultChain: TranslatedChain | undefined;
  /** What looks at a connection before its chain is chosen, in turn. */
  readonly filters: readonly ListenerFilter[];
  /** How long a client may take to send them. @default 15000 */
  readonly inspectTimeoutMs: number;
  /** A client that took longer is served as far as it is known. @default false: it is closed */
  readonly continuesOnTimeout: boolean;
  /** Connections that were meant for another listener's address are that one's. @default false */
  readonly handsOver: boolean;
  /** False: it has only the connections that another one hands over. @default true */
  readonly binds: boolean;
  /** Of connections. */
  readonly accessLogs: readonly AccessLogSpec[];
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
    "continue_on_listener_filters_timeout",
    "use_original_dst",
    "bind_to_port",
    "per_connection_buffer_limit_bytes",
    "metadata",
    "drain_type",
    "traffic_direction",
    "enable_reuse_port",
    "tcp_backlog_size",
    "access_log",
  ]);
  if (message.name === "") throw rejection("name", "is empty");
  const limit = message.perConnectionBufferLimitBytes ?? connectionManagerDefaults.highWatermarkBytes;
  const chains = message.filterChains.map((chain, i) =>
    completed(readFilterChain(chain, `filter_chains[${i}].`, i, secrets), limit, message.drainType),
  );
  const defaultChain =
    message.defaultFilterChain === undefined
      ? undefined
      : completed(
          readFilterChain(message.defaultFilterChain, "default_filter_chain.", chains.length, secrets),
          limit,
          message.drainType,
        );
  if (chains.length === 0 && defaultChain === undefined) throw rejection("filter_chains", "is empty");
  return {
    name: message.name,
    statPrefix: message.statPrefix,
    ...readAddress(message.address, "address"),
    backlog: message.tcpBacklogSize ?? 1024,
    chains,
    defaultChain,
    filters: readListenerFilters(message, chains),
    continuesOnTimeout: message.continueOnListenerFiltersTimeout,
    handsOver: message.useOriginalDst === true,
    binds: message.bindToPort ?? true,
    inspectTimeoutMs: durationMs(message.listenerFiltersTimeout, DEFAULT_INSPECT_MS, "listener_filters_timeout"),
    accessLogs: readAccessLogs(message.accessLog, "access_log"),
    secretNames: tlsOf({ chains, defaultChain }).flatMap((tls) => tls.secretNames),
  };
}

function readListenerFilters(message: Listener, chains: readonly TranslatedChain[]): readonly ListenerFilter[] {
  const filters = message.listenerFilters.map(({ configType, filterDisabled }, i) => {
    const where = `listener_filters[${i}]`;
    const any = configType.case === "typedConfig" ? configType.value : undefined;
    const read = any === undefined ? undefined : listenerFilterReader(any.typeUrl);
    if (any === undefined || read === undefined)
      throw rejection(
        where,
        `${any?.typeUrl ?? "without typed_config"} is not supported; ${listenerFilterTypes().join(", ")} are`,
      );
    if (filterDisabled !== undefined) throw rejection(`${where}.filter_disabled`, "is not supported by this proxy");
    return read(any.value, `${where}.typed_config.`);
  });
  // What chains ask for can only be answered by the first bytes; Envoy's clients add the inspector themselves.
  const looksIntoTls = chains.some(
    ({ match }) => match.serverNames.length > 0 || match.transport !== "" || match.alpn.length > 0,
  );
  const all = looksIntoTls && !filters.includes(tlsInspector) ? [...filters, tlsInspector] : filters;
  return message.useOriginalDst === true ? [originalDst(), ...all] : all;
}

/** With what its listener says for all chains. */
function completed(chain: TranslatedChain, highWatermarkBytes: number, drainType: Listener_DrainType): TranslatedChain {
  return { ...limited(chain, highWatermarkBytes), staysWhenFailed: drainType === Listener_DrainType.MODIFY_ONLY };
}

function limited(chain: TranslatedChain, highWatermarkBytes: number): TranslatedChain {
  const { serves } = chain;
  if (serves.kind === "tcp") return { ...chain, serves: { ...serves, proxy: { ...serves.proxy, highWatermarkBytes } } };
  if (serves.kind !== "http") return chain;
  const { manager } = serves;
  return {
    ...chain,
    serves: { kind: "http", manager: { ...manager, config: { ...manager.config, highWatermarkBytes } } },
  };
}
