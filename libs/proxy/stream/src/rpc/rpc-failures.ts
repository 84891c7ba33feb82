import type { RpcFailure } from "@fairlead/codec-rpc";
import type { ResponseHead } from "../message.ts";

/** Why the proxy answered, by Envoy's response flags. */
const byFlag: Readonly<Record<string, RpcFailure>> = {
  NR: "no-route",
  NC: "no-route",
  UH: "no-healthy-upstream",
  UO: "overflow",
  OM: "overflow",
  RL: "overflow",
  UT: "timeout",
  SI: "timeout",
  DT: "timeout",
  UMSDR: "timeout",
  UF: "connection-failed",
  UC: "connection-lost",
  UR: "connection-lost",
  LR: "connection-lost",
};

/** An answer that a route or filter was told to give has only its status: as MOSN has it, and its clients know. */
const byStatus: Readonly<Record<number, RpcFailure>> = {
  400: "malformed",
  401: "denied",
  403: "denied",
  404: "no-route",
  408: "timeout",
  429: "overflow",
  502: "connection-failed",
  503: "overflow",
  504: "timeout",
};

/** What a caller's framework is told when the proxy answers itself. @param head undefined: the call was given up */
export function failureOf(head: ResponseHead | undefined): RpcFailure {
  const flag = head?.local?.flag;
  return (flag === undefined ? undefined : byFlag[flag]) ?? byStatus[head?.status ?? 0] ?? "unavailable";
}
