import { FairleadError } from "@fairlead/errors";
import type { rpcErrors } from "./errors.ts";

export type RpcErrorCode = keyof typeof rpcErrors;

/** @param protocol as in `RpcProtocol.name` */
export function rpcError(code: RpcErrorCode, protocol: string, message: string, cause?: unknown): FairleadError {
  return new FairleadError(code, `${protocol}: ${message}`, { facts: { protocol }, cause });
}
