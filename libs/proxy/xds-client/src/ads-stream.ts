import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import type { ChannelCredentials } from "@grpc/grpc-js";
import { DeltaTypeState } from "./delta-state.ts";
import { openGrpcStream } from "./grpc-stream.ts";

const service = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

/** What the client needs of a stream. */
export interface AdsStream {
  /** @param rejected names of the resources that a NACK is about */
  send(request: DiscoveryRequest, rejected?: readonly string[]): void;
  /** Ends the stream; `ended` is not called any more. */
  close(): void;
}

export interface AdsStreamHandlers {
  /** One at a time: the next response is read when this one's promise has resolved. It never rejects. */
  received(response: DiscoveryResponse): Promise<void>;
  /** Called once, when the stream or its connection is lost. */
  ended(reason: string): void;
}

export type OpenAdsStream = (address: string, handlers: AdsStreamHandlers) => AdsStream;

export interface GrpcStreamOptions {
  /** @default insecure (plain text) */
  readonly credentials?: ChannelCredentials;
  /** The largest response that is read, in bytes; a larger one ends the stream. @default 64 MiB */
  readonly maxResponseBytes?: number;
  /** How long a connection may take to open, in milliseconds. @default 5000 */
  readonly connectTimeoutMs?: number;
}

/** Streams of the state of the world: each response has all there is of its type. */
export function grpcStreams(options: GrpcStreamOptions = {}): OpenAdsStream {
  return (address, handlers) =>
    openGrpcStream<DiscoveryRequest, DiscoveryResponse>(
      address,
      {
        path: `${service}/StreamAggregatedResources`,
        encode: (request) => Buffer.from(toBinary(DiscoveryRequestSchema, request)),
        decode: (bytes) => fromBinary(DiscoveryResponseSchema, bytes),
      },
      handlers,
      options,
    );
}

/**
 * Incremental streams: a gateway sends what has changed, and after a reconnect only what has changed meanwhile. Towards the client
 * they look like the others: the difference is a matter of the wire.
 */
export function deltaStreams(options: GrpcStreamOptions = {}): OpenAdsStream {
  const types = new Map<string, DeltaTypeState>();
  const typeOf = (typeUrl: string): DeltaTypeState => {
    const state = types.get(typeUrl) ?? new DeltaTypeState(typeUrl);
    types.set(typeUrl, state);
    return state;
  };
  return (address, handlers) => {
    for (const state of types.values()) state.beginStream();
    const stream = openGrpcStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>(
      address,
      {
        path: `${service}/DeltaAggregatedResources`,
        encode: (request) => Buffer.from(toBinary(DeltaDiscoveryRequestSchema, request)),
        decode: (bytes) => fromBinary(DeltaDiscoveryResponseSchema, bytes),
      },
      {
        received: (response) => handlers.received(typeOf(response.typeUrl).fromDelta(response)),
        ended: (reason) => handlers.ended(reason),
      },
      options,
    );
    return {
      send: (request, rejected = []) => stream.send(typeOf(request.typeUrl).toDelta(request, rejected)),
      close: () => stream.close(),
    };
  };
}
