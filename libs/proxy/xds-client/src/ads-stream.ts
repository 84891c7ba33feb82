import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { type ChannelCredentials, Client, connectivityState, credentials, status, type StatusObject } from "@grpc/grpc-js";

const path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

/** What the client needs of a stream. */
export interface AdsStream {
  send(request: DiscoveryRequest): void;
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

/** Opens ADS streams over gRPC, each with a connection of its own, so that a new attempt never waits for gRPC's own back-off. */
export function grpcStreams(options: GrpcStreamOptions = {}): OpenAdsStream {
  return (address, handlers) => {
    const client = new Client(address, options.credentials ?? credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": options.maxResponseBytes ?? 64 * 1024 * 1024,
      "grpc.keepalive_time_ms": 30_000,
      "grpc.keepalive_timeout_ms": 10_000,
      "grpc.enable_retries": 0,
      "grpc.service_config_disable_resolution": 1,
      "grpc.enable_http_proxy": 0,
    });
    const call = client.makeBidiStreamRequest<DiscoveryRequest, DiscoveryResponse>(
      path,
      (request) => Buffer.from(toBinary(DiscoveryRequestSchema, request)),
      (bytes) => fromBinary(DiscoveryResponseSchema, bytes),
    );
    let open = true;
    const end = (reason: string | undefined): void => {
      if (!open) return;
      open = false;
      clearTimeout(connecting);
      call.cancel();
      client.close();
      if (reason !== undefined) handlers.ended(reason);
    };
    const connectTimeoutMs = options.connectTimeoutMs ?? 5000;
    const connecting = setTimeout(() => {
      if (client.getChannel().getConnectivityState(false) !== connectivityState.READY) {
        end(`no connection within ${connectTimeoutMs} ms`);
      }
    }, connectTimeoutMs);

    call.on("data", (response: DiscoveryResponse) => {
      if (!open) return;
      // Backpressure: at most one response is worked on, so a gateway that floods is slowed down by HTTP/2 flow control.
      call.pause();
      void handlers.received(response).then(() => call.resume());
    });
    // An error is always followed by its status; without a listener it would end the process.
    call.on("error", () => undefined);
    call.on("status", ({ code, details }: StatusObject) => {
      end(code === status.OK ? "the gateway ended the stream" : `${status[code]}: ${details}`);
    });
    return {
      send: (request) => {
        if (open) call.write(request);
      },
      close: () => end(undefined),
    };
  };
}
