import { randomUUID } from "node:crypto";
import { canonicalPath } from "@fairlead/proxy-router";
import type { RequestHead } from "@fairlead/proxy-stream";
import { clientAddress } from "./client-address.ts";
import type { ConnectionManagerConfig } from "./connection-manager-config.ts";
import { removeControlHeaders } from "./envoy-headers.ts";
import type { StreamInfo } from "./stream-info.ts";

/** @returns false when the path cannot be trusted */
export function normalizePath(head: RequestHead, config: ConnectionManagerConfig): boolean {
  const path = canonicalPath(head.path, {
    mergeSlashes: config.mergeSlashes,
    escapedSlashes: config.rejectEscapedSlashes ? "reject" : "keep",
  });
  if (path !== undefined) head.path = path;
  return path !== undefined;
}

/** What routes, filters and the host see besides what the client sent: where it came from, its id; and what they must not see. */
export function prepareHeaders(head: RequestHead, info: StreamInfo, config: ConnectionManagerConfig): void {
  const { headers } = head;
  const { useRemoteAddress, generateRequestId, internalAddresses } = config;
  if (!useRemoteAddress || config.trustedHops > 0) {
    if (headers.has("x-forwarded-for"))
      info.setClientAddress(clientAddress(headers, info.connection.remoteAddress, config));
  }
  const internal = internalAddresses?.includes(info.clientAddress) === true;
  if (internal) headers.set("x-envoy-internal", "true");
  else removeControlHeaders(headers);
  if (useRemoteAddress) {
    const before = headers.getJoined("x-forwarded-for");
    const { remoteAddress } = info.connection;
    headers.set("x-forwarded-for", before === undefined ? remoteAddress : `${before},${remoteAddress}`);
    headers.set("x-forwarded-proto", head.scheme);
    if (!internal) headers.set("x-envoy-external-address", info.clientAddress);
  } else if (!headers.has("x-forwarded-proto")) headers.add("x-forwarded-proto", head.scheme);
  let id = headers.get("x-request-id");
  if (id === undefined && generateRequestId) {
    id = randomUUID();
    headers.add("x-request-id", id);
  }
  info.requestId = id ?? "";
}
