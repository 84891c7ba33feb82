import type { ResourceMetadata, RouteMetadata } from "@fairlead/proxy-router";
import type { ConnectionInfo, HeaderMap, RequestHead, ResponseHead } from "@fairlead/proxy-stream";
import type { ClusterConfig, Host } from "@fairlead/proxy-upstream";

/** What went wrong with a response, in Envoy's short words: the first thing that an operator looks at. */
export type ResponseFlag =
  | "NR" | "NC" | "UH" | "UF" | "UC" | "UR" | "UO" | "UT" | "UPE" | "URX" | "LR" | "LH" | "SI" | "DC" | "DPE" | "DI" | "FI" | "RL"
  | "UMSDR" | "OM" | "DT" | "IH" | "UAEX" | "RLSE" | "RFCF" | "NFCF" | "DF" | "DO" | "UDO" | "DR"; // prettier-ignore

/** What happened to one request: for access logs and statistics. */
export class StreamInfo {
  /** When its head had come; the proxy's monotonic clock. */
  readonly startMs: number;
  requestEndMs = 0;
  /** When the last attempt had a connection; 0 = none had. */
  upstreamStartMs = 0;
  /** When the host's response began; 0 = it did not. */
  responseStartMs = 0;
  /** When the stream was over; 0 = it is not. */
  endMs = 0;
  method = "";
  path = "";
  authority = "";
  requestId = "";
  /** What the client speaks: a name in the registry of stream factories. */
  protocol = "http1";
  /** 0 while, or if never, there is a response. */
  status = 0;
  /** `via_upstream`, or why the proxy answered itself. */
  details = "";
  /** Comma-separated `ResponseFlag`s; "" when all went well. */
  flags = "";
  routeName = "";
  cluster = "";
  /** What logs call the cluster, where that is not its name. */
  declare clusterStatName?: string | undefined;
  /** Why the client's connection ended under it. */
  declare connectionTermination?: string;
  /** What the client's transport said when it failed, where there is no connection that knows. */
  declare downstreamTransportFailure?: string;
  /** Of the virtual host, where that has any and one takes the request. */
  declare virtualCluster?: string | undefined;
  /** `address:port` of the last attempt. */
  upstreamHost = "";
  upstreamHostname = "";
  upstreamProtocol = "";
  /** What the transport said when the last attempt failed. */
  transportFailure = "";
  attempts = 0;
  bytesReceived = 0;
  bytesSent = 0;
  /** Of a reply that the proxy itself gave. */
  localBody: string | undefined = undefined;
  filterChain = "";
  /** Not for logs as they are: they hold what is secret. */
  readonly #connection: ConnectionInfo;
  #request: RequestHead | undefined;
  #response: ResponseHead | undefined;
  #client = "";
  #upstream: ConnectionInfo | undefined;
  #trailers: HeaderMap | undefined;
  #routeMetadata: RouteMetadata | undefined;
  #cluster: ClusterConfig | undefined;
  #host: Host | undefined;

  constructor(startMs: number, connection: ConnectionInfo) {
    this.startMs = startMs;
    this.#connection = connection;
  }

  get connection(): ConnectionInfo {
    return this.#connection;
  }

  /** As it is sent to the host. */
  get request(): RequestHead | undefined {
    return this.#request;
  }

  get response(): ResponseHead | undefined {
    return this.#response;
  }

  get trailers(): HeaderMap | undefined {
    return this.#trailers;
  }

  /** The connection to the host of the last attempt. */
  get upstream(): ConnectionInfo | undefined {
    return this.#upstream;
  }

  /** What the control plane says of what the request met; `dynamic`: what was learned of the connection. */
  metadataOf(kind: "route" | "virtualHost" | "cluster" | "host" | "dynamic"): ResourceMetadata | undefined {
    if (kind === "dynamic") return this.#connection.metadata;
    if (kind === "cluster") return this.#cluster?.metadata;
    return kind === "host" ? this.#host?.allMetadata : this.#routeMetadata?.[kind];
  }

  /** When it began, by the calendar; while it is under way: now. */
  get startDate(): Date {
    return new Date(Date.now() - (this.endMs === 0 ? 0 : this.endMs - this.startMs));
  }

  /** The client's address as far as it is known through trusted proxies. */
  get clientAddress(): string {
    return this.#client === "" ? this.#connection.remoteAddress : this.#client;
  }

  setRequest(head: RequestHead): void {
    this.#request = head;
    this.method = head.method;
    this.path = head.path;
    this.authority = head.authority;
  }

  setResponse(head: ResponseHead): void {
    this.#response = head;
  }

  setTrailers(trailers: HeaderMap): void {
    this.#trailers = trailers;
  }

  setRoute(route: { readonly name: string; readonly metadata?: RouteMetadata | undefined }): void {
    this.routeName = route.name;
    this.#routeMetadata = route.metadata;
  }

  setCluster(config: ClusterConfig): void {
    this.cluster = config.name;
    this.#cluster = config;
    if (config.statName !== undefined) this.clusterStatName = config.statName;
  }

  /** Of a request that goes on elsewhere: where it was does not count any more. */
  beginAgain(): void {
    this.attempts = 0;
    this.cluster = "";
    this.clusterStatName = undefined;
    this.virtualCluster = undefined;
    this.upstreamHost = "";
    this.upstreamHostname = "";
    this.upstreamProtocol = "";
    this.#cluster = undefined;
    this.#host = undefined;
    this.#upstream = undefined;
  }

  /** Of another attempt. */
  setHost(host: Host): void {
    this.upstreamHost = host.key;
    this.upstreamHostname = host.hostname;
    this.#host = host;
  }

  setUpstream(connection: ConnectionInfo): void {
    this.#upstream = connection;
  }

  setClientAddress(address: string): void {
    this.#client = address;
  }

  flag(flag: ResponseFlag): void {
    this.flags = this.flags === "" ? flag : `${this.flags},${flag}`;
  }
}
