import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { StreamInfo } from "../stream-info.ts";
import { type Operator, type OperatorFactory, orNothing, plain, withPort } from "./operator.ts";
import { longFlags } from "./response-flags.ts";
import { startTime } from "./start-time.ts";

const ownHostname = hostname();

const protocolNames: Readonly<Record<string, string>> = { http1: "HTTP/1.1", http2: "HTTP/2" };
const protocolName = (protocol: string): string | undefined => orNothing(protocolNames[protocol] ?? protocol);

/** Whole milliseconds from its start; a moment that has not been is 0. */
const sinceStart =
  (moment: (info: StreamInfo) => number): Operator =>
  (info) => {
    const ms = moment(info);
    return ms === 0 ? undefined : Math.trunc(Math.max(0, ms - info.startMs));
  };
const responseDuration: Operator = ({ responseStartMs, endMs }) =>
  responseStartMs === 0 || endMs === 0 ? undefined : Math.trunc(Math.max(0, endMs - responseStartMs));

/** The last byte goes to the host when it has come, or when there is a connection for it. */
const requestSentMs = ({ requestEndMs, upstreamStartMs }: StreamInfo): number =>
  requestEndMs === 0 || upstreamStartMs === 0 ? 0 : Math.max(requestEndMs, upstreamStartMs);

const host: OperatorFactory = plain((info) => orNothing(info.upstreamHost));
const hostAddress: Operator = (info) => orNothing(info.upstreamHost.replace(/:\d+$/, ""));
const localAddress: Operator = ({ upstream }) =>
  upstream === undefined ? undefined : withPort(upstream.localAddress, upstream.localPort);

/** What happened to the request, when, and where it went. */
export const streamOperators: Readonly<Record<string, OperatorFactory>> = {
  START_TIME: startTime,
  PROTOCOL: plain(({ protocol }) => protocolName(protocol)),
  UPSTREAM_PROTOCOL: plain(({ upstreamProtocol }) => protocolName(upstreamProtocol)),
  RESPONSE_CODE: plain(({ status }) => status),
  RESPONSE_CODE_DETAILS: plain(({ details }) => orNothing(details.replaceAll(/\s/g, "_"))),
  RESPONSE_FLAGS: plain(({ flags }) => orNothing(flags)),
  RESPONSE_FLAGS_LONG: plain(({ flags }) => orNothing(longFlags(flags))),
  BYTES_RECEIVED: plain(({ bytesReceived }) => bytesReceived),
  BYTES_SENT: plain(({ bytesSent }) => bytesSent),
  DURATION: plain(sinceStart(({ endMs }) => endMs)),
  REQUEST_DURATION: plain(sinceStart(({ requestEndMs }) => requestEndMs)),
  REQUEST_TX_DURATION: plain(sinceStart(requestSentMs)),
  RESPONSE_DURATION: plain(sinceStart(({ responseStartMs }) => responseStartMs)),
  RESPONSE_TX_DURATION: plain(responseDuration),
  ROUTE_NAME: plain(({ routeName }) => orNothing(routeName)),
  VIRTUAL_CLUSTER_NAME: plain(({ virtualCluster }) => virtualCluster),
  UPSTREAM_CLUSTER: plain(({ cluster, clusterStatName }) => clusterStatName ?? orNothing(cluster)),
  UPSTREAM_CLUSTER_RAW: plain(({ cluster }) => orNothing(cluster)),
  UPSTREAM_HOST: host,
  UPSTREAM_HOST_NAME: plain((info) => orNothing(info.upstreamHostname) ?? orNothing(info.upstreamHost)),
  UPSTREAM_REMOTE_ADDRESS: host,
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: plain(hostAddress),
  UPSTREAM_LOCAL_ADDRESS: plain(localAddress),
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: plain(({ upstream }) => orNothing(upstream?.localAddress)),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: plain(({ attempts }) => attempts),
  UPSTREAM_TRANSPORT_FAILURE_REASON: plain(({ transportFailure }) =>
    orNothing(transportFailure.replaceAll(/\s/g, "_")),
  ),
  UPSTREAM_CONNECTION_ID: plain(({ upstream }) => upstream?.id),
  STREAM_ID: plain(({ requestId }) => orNothing(requestId)),
  UNIQUE_ID: plain(() => randomUUID()),
  HOSTNAME: plain(() => ownHostname),
  FILTER_CHAIN_NAME: plain(({ filterChain }) => orNothing(filterChain)),
};
