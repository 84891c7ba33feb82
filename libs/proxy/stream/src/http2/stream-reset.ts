import { ERROR_CODE, type StreamReset } from "@fairlead/codec-http2";
import type { ResetReason } from "../reset-reason.ts";

/** What a peer's reset is called here. */
export function reasonOf(reset: StreamReset): ResetReason {
  switch (reset.by) {
    case "malformed":
      return "protocol error";
    case "unprocessed":
      return "remote refused stream reset";
    case "peer":
      return reset.errorCode === ERROR_CODE.connectError ? "remote error with CONNECT request" : "remote reset";
    // As Envoy has it: 503, where HTTP/1.1 has 502.
    case "limit":
      return "remote reset";
  }
}

/** What a client is told of its stream: we failed it. */
export function serverResetCode(reason: ResetReason): number {
  return reason === "protocol error" ? ERROR_CODE.protocolError : ERROR_CODE.internalError;
}

/** What a server is told: nobody wants its answer any more. */
export function clientResetCode(reason: ResetReason): number {
  return reason === "protocol error" ? ERROR_CODE.protocolError : ERROR_CODE.cancel;
}
