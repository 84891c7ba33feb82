import { getSystemErrorMap } from "node:util";
import type { ResetReason } from "@fairlead/proxy-stream";

/** Errors that our own machine gives before anything is sent. */
const local = new Set([
  "EADDRNOTAVAIL",
  "EMFILE",
  "ENFILE",
  "EACCES",
  "EPERM",
  "EADDRINUSE",
  "EINVAL",
  "ENOBUFS",
  "ENOMEM",
]);

export interface ConnectFailure {
  readonly reason: ResetReason;
  readonly details: string;
}

/** In Envoy's words: `delayed connect error: Connection refused`. */
export function connectFailureOf(error: NodeJS.ErrnoException): ConnectFailure {
  const text = (error.errno === undefined ? undefined : getSystemErrorMap().get(error.errno)?.[1]) ?? error.message;
  const words = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return local.has(error.code ?? "")
    ? { reason: "local connection failure", details: `immediate connect error: ${words}` }
    : { reason: "remote connection failure", details: `delayed connect error: ${words}` };
}
