import { fromBinary } from "@bufbuild/protobuf";
import type { Node } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { FairleadError } from "@fairlead/errors";
import type { StreamRequest } from "@fairlead/xds-stream";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { divideRequest } from "./request-lists.ts";

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

/** Names are looked for in the text of a NACK; more than this is not looked at. */
const maxDetailLength = 4096;

/** Never throws: gRPC would answer INTERNAL, and it is the client's fault. */
export function decodeSotwRequest(bytes: Buffer): ReceivedMessage {
  return decoded("DiscoveryRequest", bytes, () => {
    const { lists, rest } = divideRequest(bytes, "sotw");
    const { node, typeUrl, responseNonce, errorDetail } = fromBinary(DiscoveryRequestSchema, rest);
    const detail = errorDetail?.message.slice(0, maxDetailLength);
    return { node, request: { typeUrl, names: lists.names, nonce: responseNonce, errorDetail: detail } };
  });
}

export function decodeDeltaRequest(bytes: Buffer): ReceivedMessage {
  return decoded("DeltaDiscoveryRequest", bytes, () => {
    const { lists, rest } = divideRequest(bytes, "delta");
    const message = fromBinary(DeltaDiscoveryRequestSchema, rest);
    const request: StreamRequest = {
      typeUrl: message.typeUrl,
      names: lists.names,
      unsubscribed: message.resourceNamesUnsubscribe,
      initialVersions: lists.initialVersions,
      nonce: message.responseNonce,
      errorDetail: message.errorDetail?.message.slice(0, maxDetailLength),
    };
    return { node: message.node, request };
  });
}

function decoded(kind: string, bytes: Buffer, decode: () => DiscoveryMessage): ReceivedMessage {
  try {
    return decode();
  } catch (cause) {
    return new FairleadError("FL_XDS_MALFORMED", `a message of ${bytes.byteLength} bytes is no ${kind}`, { cause });
  }
}
