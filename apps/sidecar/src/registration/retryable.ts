import { FairleadError } from "@fairlead/errors";
import { RelayedError } from "@fairlead/http-api";

/** The change is stored; only the wait for the proxies ran out. */
export function isNotConverged(error: unknown): error is FairleadError {
  return error instanceof FairleadError && error.code === "FL_NOT_CONVERGED";
}

/** The registry does not know the node or the instance (any more). */
export function isUnknownThere(error: unknown): error is RelayedError {
  return error instanceof RelayedError && error.status === 404;
}

export function isNodeUnknown(error: unknown): error is FairleadError {
  return error instanceof FairleadError && error.code === "FL_NODE_UNKNOWN";
}

/** The registry, or its store, is away; the same call may succeed later. */
export function isPassing(error: unknown): error is FairleadError {
  if (error instanceof RelayedError) return error.status >= 500 && !isNotConverged(error);
  return error instanceof FairleadError && error.code === "FL_REGISTRY_UNAVAILABLE";
}
