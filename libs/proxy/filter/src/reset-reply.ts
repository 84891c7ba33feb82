import type { ResetReason } from "@fairlead/proxy-stream";
import type { LocalReply } from "./local-reply.ts";
import type { ResponseFlag } from "./stream-info.ts";

/** By the words of the reason; a protocol may know some that others do not. */
const flags: Readonly<Record<string, ResponseFlag>> = {
  "local connection failure": "UF",
  "remote connection failure": "UF",
  "connection timeout": "UF",
  "connection termination": "UC",
  "local reset": "LR",
  "local refused stream reset": "LR",
  "remote reset": "UR",
  "remote refused stream reset": "UR",
  "remote error with CONNECT request": "UR",
  overflow: "UO",
  "protocol error": "UPE",
  "overload manager reset": "OM",
};

export function flagOf(reason: ResetReason): ResponseFlag {
  return flags[reason] ?? "UR";
}

/** What a client gets when no attempt got a response: Envoy's text and details, to the letter. */
export function resetReply(reason: ResetReason, transport: string, retried: boolean): LocalReply {
  const latest = retried ? "retried and the latest " : "";
  // Clients are told what the connect said, as Envoy does; what else the transport knows is for the log.
  const failure = transport === "" || flagOf(reason) !== "UF" ? "" : `, transport failure reason: ${transport}`;
  return {
    status: reason === "protocol error" ? 502 : 503,
    body: `upstream connect error or disconnect/reset before headers. ${latest}reset reason: ${reason}${failure}`,
    details: resetDetails("upstream_reset_before_response_started", reason, transport),
    flag: flagOf(reason),
    ...(reason === "overflow" ? { headers: ["x-envoy-overloaded", "true"] } : {}),
  };
}

export function resetDetails(what: string, reason: ResetReason, transport: string): string {
  return `${what}{${`${reason}${transport === "" ? "" : `|${transport}`}`.replaceAll(" ", "_")}}`;
}
