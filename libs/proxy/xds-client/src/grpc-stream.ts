import {
  type ChannelCredentials,
  Client,
  connectivityState,
  credentials,
  status,
  type StatusObject,
} from "@grpc/grpc-js";

export interface StreamMethod<Request, Response> {
  readonly path: string;
  readonly encode: (request: Request) => Buffer;
  readonly decode: (bytes: Buffer) => Response;
}

export interface GrpcStreamHandlers<Response> {
  /** One at a time: the next response is read when this one's promise has resolved. It never rejects. */
  received(response: Response): Promise<void>;
  /** Called once, when the stream or its connection is lost. */
  ended(reason: string): void;
}

export interface GrpcStreamSettings {
  readonly credentials?: ChannelCredentials;
  readonly maxResponseBytes?: number;
  readonly connectTimeoutMs?: number;
}

/** A stream over gRPC with a connection of its own, so that a new attempt never waits for gRPC's own back-off. */
export function openGrpcStream<Request, Response>(
  address: string,
  method: StreamMethod<Request, Response>,
  handlers: GrpcStreamHandlers<Response>,
  options: GrpcStreamSettings,
): { send(request: Request): void; close(): void } {
  const client = new Client(address, options.credentials ?? credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": options.maxResponseBytes ?? 64 * 1024 * 1024,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.enable_retries": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.enable_http_proxy": 0,
  });
  const call = client.makeBidiStreamRequest<Request, Response>(method.path, method.encode, method.decode);
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

  call.on("data", (response: Response) => {
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
}
