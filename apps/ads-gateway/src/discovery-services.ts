import { type DiscoveryStream, type DiscoveryStreamOptions, SotwStream } from "@fairlead/xds-stream";
import type { MethodDefinition, Server } from "@grpc/grpc-js";
import { decodeSotwRequest, type DiscoveryCall, type ReceivedMessage } from "./discovery-call.ts";

/** Makes the state of a stream that has begun. */
export type CreateStream = (options: DiscoveryStreamOptions) => DiscoveryStream;

/** A stream has begun. */
export type OnDiscoveryStream = (call: DiscoveryCall, createStream: CreateStream) => void;

type StreamMethod = MethodDefinition<ReceivedMessage, Buffer>;

function streamMethod(path: string, decode: (bytes: Buffer) => ReceivedMessage): StreamMethod {
  return {
    path,
    requestStream: true,
    responseStream: true,
    requestDeserialize: decode,
    requestSerialize: () => Buffer.alloc(0),
    responseSerialize: (response: Buffer) => response,
    responseDeserialize: (response: Buffer) => response,
  };
}

/** The xDS services. A method that is not in here is answered with UNIMPLEMENTED by gRPC itself. */
export function addDiscoveryServices(server: Server, onStream: OnDiscoveryStream): void {
  const path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
  server.addService(
    { StreamAggregatedResources: streamMethod(path, decodeSotwRequest) },
    {
      StreamAggregatedResources: (call: DiscoveryCall) => onStream(call, (options) => new SotwStream(options)),
    },
  );
}
