import { fromBinary } from "@bufbuild/protobuf";
import type { Node } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { DiscoveryRequestSchema } from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { FairleadError } from "@fairlead/errors";
import type { StreamRequest } from "@fairlead/xds-stream";
import type { ServerDuplexStream } from "@grpc/grpc-js";

/** What a proxy sent, without what the gateway does not use. */
export interface DiscoveryMessage {
  /** Of the whole stream; only the first message needs it. */
  readonly node: Node | undefined;
  readonly request: StreamRequest;
}

/** What a proxy sent, or why it is nothing. */
export type ReceivedMessage = DiscoveryMessage | FairleadError;

/** One xDS stream as gRPC gives it. Responses are encoded before they get here. */
export type DiscoveryCall = ServerDuplexStream<ReceivedMessage, Buffer>;

/** The text of a NACK goes to status messages and pages. */
const maxDetailLength = 1024;

/** Never throws: gRPC would answer INTERNAL, and it is the client's fault. */
export function decodeSotwRequest(bytes: Buffer): ReceivedMessage {
  return decoded("DiscoveryRequest", bytes, () => {
    const { node, typeUrl, resourceNames, responseNonce, errorDetail } = fromBinary(DiscoveryRequestSchema, bytes);
    const detail = errorDetail?.message.slice(0, maxDetailLength);
    return { node, request: { typeUrl, names: resourceNames, nonce: responseNonce, errorDetail: detail } };
  });
}

function decoded(kind: string, bytes: Buffer, decode: () => DiscoveryMessage): ReceivedMessage {
  try {
    return decode();
  } catch (cause) {
    return new FairleadError("FL_XDS_MALFORMED", `a message of ${bytes.byteLength} bytes is no ${kind}`, { cause });
  }
}
