import {
  Client,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from "@grpc/grpc-js";

const same = (bytes: Buffer): Buffer => bytes;

function method(name: string, requestStream: boolean, responseStream: boolean): ServiceDefinition[string] {
  return {
    path: `/test.Bytes/${name}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** A service of bytes: the calls are what is tested, not messages. */
export const bytesService = {
  unary: method("Unary", false, false),
  collect: method("Collect", true, false),
  list: method("List", false, true),
  talk: method("Talk", true, true),
};

export interface BytesHandlers {
  readonly unary?: handleUnaryCall<Buffer, Buffer>;
  readonly collect?: handleClientStreamingCall<Buffer, Buffer>;
  readonly list?: handleServerStreamingCall<Buffer, Buffer>;
  readonly talk?: handleBidiStreamingCall<Buffer, Buffer>;
}

const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

/** A server of grpc-js: another implementation to talk to. */
export class GrpcBackend implements AsyncDisposable {
  readonly port: number;
  readonly server: Server;

  private constructor(server: Server, port: number) {
    this.server = server;
    this.port = port;
  }

  static async start(handlers: BytesHandlers): Promise<GrpcBackend> {
    const server = new Server(unlimited);
    server.addService(bytesService, { ...handlers });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    return new GrpcBackend(server, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.forceShutdown();
  }
}

/** A client of grpc-js with a connection of its own. */
export class GrpcCaller implements Disposable {
  readonly client: Client;

  /** @param authority what the calls are for: the name that routes know */
  constructor(port: number, authority: string) {
    this.client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      ...unlimited,
      "grpc.default_authority": authority,
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  /** Rejects with the ServiceError of a status that is not OK. */
  unary(request: Buffer, options: { readonly deadlineMs?: number } = {}): Promise<Buffer> {
    const deadline = options.deadlineMs === undefined ? {} : { deadline: Date.now() + options.deadlineMs };
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest("/test.Bytes/Unary", same, same, request, deadline, (error, response) => {
        if (error !== null) reject(error);
        else resolve(response ?? Buffer.alloc(0));
      });
    });
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}
