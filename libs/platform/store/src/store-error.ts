import { FairleadError } from "@fairlead/errors";
import "./errors.ts";

/** Classes of SQLSTATE that say "not now": connection, resources, operator intervention. */
const unavailableClasses = new Set(["08", "53", "57", "58"]);
/** Codes of Node's sockets and resolver, and SQLSTATEs of a database that cannot be logged in to or is not migrated yet. */
const unavailableCodes = new Set(
  "ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH ENOTFOUND EAI_AGAIN 25P03 28000 28P01 3D000 42P01 55P03".split(
    " ",
  ),
);
/** What pg and pg-pool throw without a code. */
const unavailableMessages =
  /connection terminated|timeout|not queryable|client was closed|cannot use a pool after calling end|driver not connected/i;

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** TypeORM wraps what the driver throws; Node wraps the failures of several addresses. */
function innermost(caught: unknown): unknown {
  if (caught instanceof Error && "driverError" in caught) return innermost(caught.driverError);
  if (caught instanceof AggregateError && caught.errors.length > 0) return innermost(caught.errors[0]);
  return caught;
}

/** Two transactions got in each other's way; PostgreSQL undid this one and it may run again. */
export function isRetryable(caught: unknown): boolean {
  return ["40001", "40P01"].includes(codeOf(innermost(caught)));
}

/** The one door for what TypeORM and pg throw. */
export function storeError(caught: unknown): FairleadError {
  if (caught instanceof FairleadError) return caught;
  const error = innermost(caught);
  const code = codeOf(error);
  const message = error instanceof Error && error.message !== "" ? error.message : code || String(error);
  const unavailable =
    unavailableClasses.has(code.slice(0, 2)) ||
    unavailableCodes.has(code) ||
    (code === "" && unavailableMessages.test(message)) ||
    isRetryable(error);
  if (!unavailable) return FairleadError.from(error);
  return new FairleadError("FL_STORE_UNAVAILABLE", `PostgreSQL is not available: ${message}`, {
    facts: { reason: code || message },
    cause: error,
  });
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof FairleadError && error.code === "FL_STORE_UNAVAILABLE";
}
