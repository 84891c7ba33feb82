import { isGrpc } from "@fairlead/proxy-router";
import { HeaderMap, type RequestHead, type ResponseHead } from "@fairlead/proxy-stream";
import type { ResponseFlag, StreamInfo } from "./stream-info.ts";

/** A response that the proxy itself gives. */
export interface LocalReply {
  readonly status: number;
  /** Plain text; "" for none. */
  readonly body: string;
  /** What is sent for it to clients of HTTP; it is not altered. @default the text in UTF-8 */
  readonly bytes?: Buffer | undefined;
  /** The response code details: what operators search for. */
  readonly details: string;
  readonly flag?: ResponseFlag;
  /** For gRPC requests, where it is not what the status makes it. */
  readonly grpcStatus?: number;
  /** name, value … besides those of the body. */
  readonly headers?: readonly string[];
  /** Of the body. @default "text/plain" */
  readonly contentType?: string;
  /** Changes the head's headers at last. */
  readonly change?: ((headers: HeaderMap) => void) | undefined;
}

/**
 * What a listener makes of a reply.
 *
 * @param info has the reply's status, details, flags and body
 */
export type LocalReplyMapper = (reply: LocalReply, info: StreamInfo) => LocalReply;

const grpcStatuses: Readonly<Record<number, string>> = {
  400: "13",
  401: "16",
  403: "7",
  404: "12",
  429: "14",
  502: "14",
  503: "14",
  504: "14",
};

/** As Envoy answers: text for HTTP, a trailers-only response for gRPC. */
export function renderLocalReply(
  reply: LocalReply,
  request: RequestHead,
): { readonly head: ResponseHead; readonly body: string | Buffer } {
  const local = { flag: reply.flag, details: reply.details };
  if (isGrpc(request)) {
    const fields = [
      "content-type",
      "application/grpc",
      "grpc-status",
      String(reply.grpcStatus ?? grpcStatuses[reply.status] ?? 2),
    ];
    if (reply.body !== "") fields.push("grpc-message", encodeURIComponent(reply.body).replaceAll("%20", " "));
    fields.push(...(reply.headers ?? []));
    const headers = new HeaderMap(fields);
    reply.change?.(headers);
    return { head: { status: 200, headers, local }, body: "" };
  }
  const fields = [...(reply.headers ?? [])];
  const body = reply.bytes ?? reply.body;
  if (body.length > 0)
    fields.push("content-length", String(Buffer.byteLength(body)), "content-type", reply.contentType ?? "text/plain");
  const headers = new HeaderMap(fields);
  reply.change?.(headers);
  return { head: { status: reply.status, headers, local }, body };
}
