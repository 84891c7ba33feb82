/** When a host that answers badly is left out for a while (Envoy's outlier detection, with its defaults). */
export interface OutlierDetection {
  /** How often hosts are let in again and success rates looked at. @default 10000 */
  readonly intervalMs: number;
  /** The first time out; each time one more of it. @default 30000 */
  readonly baseEjectionMs: number;
  /** @default 300000 */
  readonly maxEjectionMs: number;
  /** Up to so much more, at random. @default 0 */
  readonly maxJitterMs: number;
  /** Of the cluster's hosts, in percent: with 10, a cluster of less than 10 hosts never loses one. @default 10 */
  readonly maxEjectionPercent: number;
  /** One host may be out whatever the share. @default false */
  readonly alwaysEjectOne: boolean;
  readonly consecutive5xx: Threshold;
  /** 502, 503 and 504. */
  readonly consecutiveGatewayFailure: Threshold;
  /** What the proxy itself saw: no connection, no answer. Only counted with `splitLocalOrigin`. */
  readonly consecutiveLocalOriginFailure: Threshold;
  /** False: what the proxy itself saw counts as a 5xx. @default false */
  readonly splitLocalOrigin: boolean;
  /** A host whose active health check passes is let in again at once. @default true */
  readonly unejectsByCheck: boolean;
  readonly successRate: {
    /** How many hosts must have enough requests. @default 5 */
    readonly minHosts: number;
    /** Of an interval. @default 100 */
    readonly minRequests: number;
    /** Out is who is below mean - factor × standard deviation. @default 1.9 */
    readonly stdevFactor: number;
    /** @default 100 */
    readonly enforcingPercent: number;
  };
  readonly failurePercentage: {
    /** @default 5 */
    readonly minHosts: number;
    /** @default 50 */
    readonly minRequests: number;
    /** Out is who fails at least so many of 100. @default 85 */
    readonly thresholdPercent: number;
    /** @default 0 */
    readonly enforcingPercent: number;
  };
}

/** `enforcingPercent`: how often one that is detected is really put out. */
export interface Threshold {
  /** @default 5 */
  readonly count: number;
  readonly enforcingPercent: number;
}

export const outlierDefaults: OutlierDetection = {
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxJitterMs: 0,
  maxEjectionPercent: 10,
  alwaysEjectOne: false,
  consecutive5xx: { count: 5, enforcingPercent: 100 },
  consecutiveGatewayFailure: { count: 5, enforcingPercent: 0 },
  consecutiveLocalOriginFailure: { count: 5, enforcingPercent: 100 },
  unejectsByCheck: true,
  splitLocalOrigin: false,
  successRate: { minHosts: 5, minRequests: 100, stdevFactor: 1.9, enforcingPercent: 100 },
  failurePercentage: { minHosts: 5, minRequests: 50, thresholdPercent: 85, enforcingPercent: 0 },
};
