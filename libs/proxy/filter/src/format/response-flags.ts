import type { ResponseFlag } from "../stream-info.ts";

/** Envoy's long names. */
const longNames: Readonly<Record<ResponseFlag, string>> = {
  NR: "NoRouteFound",
  NC: "NoClusterFound",
  UH: "NoHealthyUpstream",
  UF: "UpstreamConnectionFailure",
  UC: "UpstreamConnectionTermination",
  UR: "UpstreamRemoteReset",
  UO: "UpstreamOverflow",
  UT: "UpstreamRequestTimeout",
  UPE: "UpstreamProtocolError",
  URX: "UpstreamRetryLimitExceeded",
  LR: "LocalReset",
  LH: "FailedLocalHealthCheck",
  SI: "StreamIdleTimeout",
  DC: "DownstreamConnectionTermination",
  DPE: "DownstreamProtocolError",
  DI: "DelayInjected",
  FI: "FaultInjected",
  RL: "RateLimited",
  UMSDR: "UpstreamMaxStreamDurationReached",
  OM: "OverloadManagerTerminated",
  DT: "DurationTimeout",
  DR: "DownstreamRemoteReset",
  IH: "InvalidEnvoyRequestHeaders",
  UAEX: "UnauthorizedExternalService",
  RLSE: "RateLimitServiceError",
  RFCF: "ResponseFromCacheFilter",
  NFCF: "NoFilterConfigFound",
  DF: "DnsResolutionFailed",
  DO: "DropOverload",
  UDO: "UnconditionalDropOverload",
};

const known: ReadonlyMap<string, string> = new Map(Object.entries(longNames));

/** @param flags separated by commas */
export function longFlags(flags: string): string {
  return flags
    .split(",")
    .map((flag) => known.get(flag) ?? flag)
    .join(",");
}

export function isResponseFlag(flag: string): boolean {
  return known.has(flag);
}
