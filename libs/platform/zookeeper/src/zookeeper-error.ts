import { FairleadError } from "@fairlead/errors";
import type { zooKeeperErrors } from "./errors.ts";

export type ZooKeeperErrorCode = keyof typeof zooKeeperErrors;

/** What a server refuses an operation with; its codes by name. */
export type Refusal =
  | "no-node"
  | "node-exists"
  | "not-empty"
  | "bad-version"
  | "no-auth"
  | "auth-failed"
  | "no-children-for-ephemerals"
  | "unimplemented"
  | "session-expired"
  | "too-large"
  | "other";

const refusals: Readonly<Record<number, Refusal>> = {
  [-6]: "unimplemented",
  [-101]: "no-node",
  [-102]: "no-auth",
  [-103]: "bad-version",
  [-108]: "no-children-for-ephemerals",
  [-110]: "node-exists",
  [-111]: "not-empty",
  [-112]: "session-expired",
  [-115]: "auth-failed",
};

export function refused(code: number, operation: string, path: string): FairleadError {
  const errorCode: ZooKeeperErrorCode = "FL_ZOOKEEPER_REFUSED";
  const reason = refusals[code] ?? "other";
  return new FairleadError(errorCode, `ZooKeeper refused to ${operation} ${path}: ${reason} (${code})`, {
    facts: { operation, path, reason, code },
  });
}

/** Whether a server's code says that there is no such node. */
export function isNoNode(code: number): boolean {
  return refusals[code] === "no-node";
}

/** It was not sent. */
export function tooLarge(operation: string, path: string, bytes: number): FairleadError {
  const errorCode: ZooKeeperErrorCode = "FL_ZOOKEEPER_REFUSED";
  const shortPath = path.slice(0, 1000);
  return new FairleadError(errorCode, `cannot ${operation} ${shortPath}: ${bytes} bytes are more than a server takes`, {
    facts: { operation, path: shortPath, reason: "too-large" satisfies Refusal, bytes },
  });
}

export function unavailable(message: string, cause?: unknown): FairleadError {
  const code: ZooKeeperErrorCode = "FL_ZOOKEEPER_UNAVAILABLE";
  return new FairleadError(code, message, { cause });
}

/** Whether an operation was refused for this reason. */
export function isRefusal(error: unknown, reason: Refusal): boolean {
  return error instanceof FairleadError && error.code === "FL_ZOOKEEPER_REFUSED" && error.facts["reason"] === reason;
}
