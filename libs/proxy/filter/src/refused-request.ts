import { Http1Error } from "@fairlead/codec-http1";
import type { ServerConnection } from "@fairlead/proxy-stream";
import { StreamInfo } from "./stream-info.ts";

/** A request that never became a stream, for the access log: who sends what cannot be read is of interest, too. */
export function refusedRequest(
  connection: ServerConnection,
  nowMs: number,
  status: number,
  details: string,
): StreamInfo {
  const info = new StreamInfo(nowMs, connection.info);
  info.protocol = connection.clientProtocol ?? "http1";
  info.status = status;
  info.details = details;
  info.endMs = nowMs;
  // What can be read, and is not served, breaks no rule.
  if (/^http[12]\./.test(details)) info.flag("DPE");
  return info;
}

/** @returns undefined when a stream that is under way tells it, or nothing was answered */
export function refusedByCodec(error: Error, connection: ServerConnection, nowMs: number): StreamInfo | undefined {
  if (!(error instanceof Http1Error) || connection.activeStreams > 0) return undefined;
  const info = refusedRequest(connection, nowMs, error.status, error.details);
  info.connectionTermination = error.message;
  return info;
}
