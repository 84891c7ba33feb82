import { fromBinary } from "@bufbuild/protobuf";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { FairleadError } from "@fairlead/errors";
import { type ServerDuplexStream, type ServiceDefinition, status } from "@grpc/grpc-js";

/** What a proxy sent: a request, or why it is none. */
export type ReceivedRequest = DiscoveryRequest | FairleadError;

export type AdsCall = ServerDuplexStream<ReceivedRequest, Buffer>;

/**
 * envoy.service.discovery.v3.AggregatedDiscoveryService. Responses are encoded before they get here. A method that is not
 * in here (DeltaAggregatedResources) is answered with UNIMPLEMENTED by gRPC itself.
 */
export const adsService = {
  StreamAggregatedResources: {
    path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
    requestStream: true,
    responseStream: true,
    requestDeserialize: decodeRequest,
    requestSerialize: () => Buffer.alloc(0),
    responseSerialize: (response: Buffer) => response,
    responseDeserialize: (response: Buffer) => response,
  },
} satisfies ServiceDefinition;

/** Never throws: gRPC would answer INTERNAL, and it is the client's fault. */
function decodeRequest(bytes: Buffer): ReceivedRequest {
  try {
    return fromBinary(DiscoveryRequestSchema, bytes);
  } catch (cause) {
    return new FairleadError("FL_XDS_MALFORMED", `a message of ${bytes.byteLength} bytes is no DiscoveryRequest`, {
      cause,
    });
  }
}

const statusOfCode: Readonly<Record<string, status>> = {
  FL_GATEWAY_NOT_SYNCED: status.UNAVAILABLE,
  FL_GATEWAY_STOPPING: status.UNAVAILABLE,
  FL_GATEWAY_FULL: status.RESOURCE_EXHAUSTED,
  FL_NODE_ID_INVALID: status.INVALID_ARGUMENT,
  FL_XDS_MALFORMED: status.INVALID_ARGUMENT,
  FL_XDS_TYPE_MISSING: status.INVALID_ARGUMENT,
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
