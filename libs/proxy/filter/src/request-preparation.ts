import { randomUUID } from "node:crypto";
import { canonicalPath, isGrpc } from "@fairlead/proxy-router";
import type { HeaderMap, RequestHead } from "@fairlead/proxy-stream";
import { clientAddress } from "./client-address.ts";
import type { InternalAddresses } from "./internal-addresses.ts";
import type { ConnectionManagerConfig } from "./connection-manager-config.ts";
import { removeControlHeaders } from "./envoy-headers.ts";
import type { LocalReply } from "./local-reply.ts";
import { CLIENT_CERTIFICATE } from "./rules/client-certificate.ts";
import { addVia } from "./rules/via.ts";
import type { StreamInfo } from "./stream-info.ts";

const escapedSlash = /%(?:2f|5c)/gi;

/**
 * One spelling of the path.
 *
 * @returns an answer, where the path cannot be trusted, or the client should ask for that spelling
 */
export function normalizePath(head: RequestHead, config: ConnectionManagerConfig): LocalReply | undefined {
  // `OPTIONS *` is about a server, and not about what is routed by a path. CONNECT has none.
  if (head.path !== "" && !head.path.startsWith("/"))
    return { status: 404, body: "", details: "absolute_path_rejected" };
  const { escapedSlashes } = config;
  if (!config.normalizePath && escapedSlashes === "keep") return undefined;
  const slashes = escapedSlashes === "redirect" || escapedSlashes === "forward" ? withSlashes(head.path) : head.path;
  const path = config.normalizePath
    ? canonicalPath(slashes, {
        mergeSlashes: config.mergeSlashes,
        escapedSlashes: escapedSlashes === "reject" ? "reject" : "keep",
      })
    : escapedSlashes === "reject" && withSlashes(slashes) !== slashes
      ? undefined
      : slashes;
  const redirects = escapedSlashes === "redirect" && slashes !== head.path;
  // A call of gRPC cannot follow a redirect.
  if (path === undefined || (redirects && isGrpc(head)))
    return { status: 400, body: "", details: "path_normalization_failed" };
  head.path = path;
  if (!redirects) return undefined;
  return { status: 307, body: "", details: "path_normalization_failed", headers: ["location", path] };
}

/** The query stays as it is. */
function withSlashes(path: string): string {
  const mark = path.indexOf("?");
  const raw = mark === -1 ? path : path.slice(0, mark);
  if (!raw.includes("%")) return path;
  const changed = raw.replaceAll(escapedSlash, (escape) => (escape[1] === "2" ? "/" : "\\"));
  return mark === -1 ? changed : changed + path.slice(mark);
}

/** What routes, filters and the host see besides what the client sent: where it came from, its id; and what they must not see. */
export function prepareHeaders(head: RequestHead, info: StreamInfo, config: ConnectionManagerConfig): void {
  const { headers } = head;
  const { useRemoteAddress, generateRequestId, internalAddresses, trustedHops } = config;
  if (!useRemoteAddress || trustedHops > 0) {
    if (headers.has("x-forwarded-for"))
      info.setClientAddress(clientAddress(headers, info.connection.remoteAddress, config));
  }
  const internal = internalAddresses !== undefined && isInternal(headers, info, internalAddresses);
  if (internal) {
    headers.set("x-envoy-internal", "true");
    if (config.removesClientCertificate) headers.remove(CLIENT_CERTIFICATE);
  } else removeControlHeaders(headers, config.removesClientCertificate);
  if (useRemoteAddress) {
    if (!config.skipForwardedFor) appendForwardedFor(headers, info);
    // A proxy in front that is trusted knows what its client spoke.
    if (trustedHops === 0 || !headers.has("x-forwarded-proto")) headers.set("x-forwarded-proto", head.scheme);
    if (!internal) headers.set("x-envoy-external-address", info.clientAddress);
  } else if (!headers.has("x-forwarded-proto")) headers.add("x-forwarded-proto", head.scheme);
  const fromOutside = useRemoteAddress && !internal;
  if (fromOutside) for (const name of config.routes()?.internalOnlyHeaders ?? []) headers.remove(name);
  let id =
    fromOutside && !config.preserveExternalRequestId && generateRequestId ? undefined : headers.get("x-request-id");
  if (id === undefined && generateRequestId) {
    id = randomUUID();
    headers.set("x-request-id", id);
  }
  info.requestId = id ?? "";
  if (config.via !== "") addVia(headers, config.via);
}

/** With more than one address in x-forwarded-for, somebody outside was on the way. */
function isInternal(headers: HeaderMap, info: StreamInfo, addresses: InternalAddresses): boolean {
  return headers.getJoined("x-forwarded-for")?.includes(",") !== true && addresses.includes(info.clientAddress);
}

function appendForwardedFor(headers: HeaderMap, { connection: { remoteAddress } }: StreamInfo): void {
  const before = headers.getJoined("x-forwarded-for");
  headers.set("x-forwarded-for", before === undefined ? remoteAddress : `${before},${remoteAddress}`);
}
