import type { ForwardAction } from "@fairlead/proxy-router";
import type { HeaderMap } from "@fairlead/proxy-stream";

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

/**
 * What the client's `grpc-timeout` allows, within the route's limit.
 *
 * @returns undefined when there is none that can be read
 */
export function grpcTimeoutMs(
  headers: HeaderMap,
  action: Pick<ForwardAction, "maxGrpcTimeoutMs" | "grpcTimeoutOffsetMs">,
): number | undefined {
  const found = /^(\d{1,8})([HMSmun])$/.exec(headers.get("grpc-timeout") ?? "");
  if (found === null) return undefined;
  const { maxGrpcTimeoutMs = 0, grpcTimeoutOffsetMs = 0 } = action;
  const asked = Number(found[1]) * (unitMs[found[2] ?? ""] ?? 0);
  const allowed = maxGrpcTimeoutMs > 0 ? Math.min(asked, maxGrpcTimeoutMs) : asked;
  // What is left must be some time, else the call could not be made at all.
  const ms = allowed > grpcTimeoutOffsetMs ? allowed - grpcTimeoutOffsetMs : allowed;
  return Math.min(Math.max(ms, 1), 2 ** 31 - 1);
}
