import { once } from "node:events";
import { connect } from "node:http2";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { DiscoveryRequestSchema } from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";

export interface UnreadStream {
  /** Resolves when the server has cut the connection. */
  readonly cut: Promise<void>;
  close(): void;
}

/**
 * An ADS stream whose client never reads: the server can send no more than one HTTP/2 window. A gRPC client would read on
 * by itself, so this is plain HTTP/2.
 */
export function openUnreadStream(
  address: string,
  request: MessageInitShape<typeof DiscoveryRequestSchema>,
): UnreadStream {
  const session = connect(`http://${address}`, { settings: { initialWindowSize: 65_535 } });
  session.on("error", () => undefined);
  const stream = session.request({
    ":method": "POST",
    ":path": "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => undefined);
  stream.pause();
  const message = toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, request));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.byteLength, 1);
  stream.write(Buffer.concat([prefix, message]));
  return { cut: once(session, "close").then(() => undefined), close: () => session.destroy() };
}
