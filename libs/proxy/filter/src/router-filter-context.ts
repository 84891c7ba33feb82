import type { RouteEntry, WeightedCluster } from "@fairlead/proxy-router";
import type { HeaderMap, ResponseHead } from "@fairlead/proxy-stream";
import type { ClusterManager } from "@fairlead/proxy-upstream";
import type { TimerWheel } from "@fairlead/timer-wheel";
import type { HttpStats } from "./http-stats.ts";
import type { LocalReply } from "./local-reply.ts";
import type { RedirectedRequest } from "./redirected-request.ts";
import type { StreamInfo } from "./stream-info.ts";
import type { VirtualHostStats } from "./virtual-host-stats.ts";

export interface RouterFilterContext {
  readonly clusters: ClusterManager;
  readonly wheel: TimerWheel;
  readonly stats: HttpStats;
  /** Of the requests of virtual clusters. @default they are not counted */
  readonly virtualHostStats?: VirtualHostStats | undefined;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Leaves out the `x-envoy-` headers that tell what the proxy did. @default false */
  readonly suppressEnvoyHeaders: boolean;
  /** Headers of requests whose values must be good. @default none */
  readonly strictHeaders: readonly string[];
  /** What the proxy before this one says in x-envoy-expected-rq-timeout-ms counts. @default false */
  readonly respectsExpectedTimeout: boolean;
}

/** The stream that the router filter ends. */
export interface RouterFilterCallbacks {
  readonly info: StreamInfo;
  readonly route: RouteEntry | undefined;
  /** Of the route's clusters. */
  readonly target: WeightedCluster | undefined;
  /** Begins anew, with the first filter. @returns false when the redirect is for the client; else this filter is at its end */
  followRedirect(redirected: RedirectedRequest): boolean;
  sendContinue(): void;
  sendResponseHead(head: ResponseHead, endStream: boolean): void;
  sendResponseData(chunk: Buffer, endStream: boolean): void;
  sendResponseTrailers(trailers: HeaderMap): void;
  sendLocalReply(reply: LocalReply): void;
  /** The response cannot be completed. */
  resetStream(): void;
  setRequestReading(reading: boolean): void;
}
