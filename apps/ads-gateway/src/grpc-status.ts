import type { FairleadError } from "@fairlead/errors";
import { status } from "@grpc/grpc-js";

const statusOfCode: Readonly<Record<string, status>> = {
  FL_GATEWAY_NOT_SYNCED: status.UNAVAILABLE,
  FL_GATEWAY_STOPPING: status.UNAVAILABLE,
  FL_GATEWAY_FULL: status.RESOURCE_EXHAUSTED,
  FL_GATEWAY_BUSY: status.RESOURCE_EXHAUSTED,
  FL_CONNECTION_OLD: status.UNAVAILABLE,
  FL_PROXY_NOT_READING: status.UNAVAILABLE,
  FL_XDS_NO_REQUEST: status.DEADLINE_EXCEEDED,
  FL_NODE_ID_INVALID: status.INVALID_ARGUMENT,
  FL_CSDS_UNSUPPORTED: status.INVALID_ARGUMENT,
  FL_CSDS_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  FL_XDS_MALFORMED: status.INVALID_ARGUMENT,
  FL_XDS_TYPE_MISSING: status.INVALID_ARGUMENT,
  FL_XDS_TYPE_FOREIGN: status.INVALID_ARGUMENT,
  FL_XDS_TOO_MANY_NAMES: status.RESOURCE_EXHAUSTED,
  FL_XDS_TOO_MANY_TYPES: status.RESOURCE_EXHAUSTED,
  FL_XDS_UNAUTHENTICATED: status.UNAUTHENTICATED,
  FL_XDS_NOT_PERMITTED: status.PERMISSION_DENIED,
};

/** The one place that turns an error into a gRPC status. Its text begins with the code. */
export function grpcStatusOf(error: FairleadError): { code: status; details: string } {
  const code = statusOfCode[error.code];
  if (code === undefined) return { code: status.INTERNAL, details: `${error.code}: the gateway's log has the cause` };
  return { code, details: `${error.code}: ${error.message}` };
}
