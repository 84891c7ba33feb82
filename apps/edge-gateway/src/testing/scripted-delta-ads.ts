import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";

interface NamedBytes {
  readonly name: string;
  readonly body: Uint8Array;
}

/** An ADS server for tests that speaks delta, and says the same to everybody: all of a type to each request for more of it. */
export class ScriptedDeltaAds {
  readonly #server = new Server();
  readonly #content: ReadonlyMap<string, readonly NamedBytes[]>;
  #nonce = 0;

  constructor(content: ReadonlyMap<string, readonly NamedBytes[]>) {
    this.#content = content;
    this.#server.register(
      "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
      (stream: ServerDuplexStream<DeltaDiscoveryRequest, Uint8Array>) => {
        stream.on("error", () => undefined);
        stream.on("data", (request: DeltaDiscoveryRequest) => {
          if (request.responseNonce === "" || request.resourceNamesSubscribe.length > 0)
            stream.write(this.#answer(request.typeUrl));
        });
        stream.on("end", () => stream.end());
      },
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes) => fromBinary(DeltaDiscoveryRequestSchema, bytes),
      "bidi",
    );
  }

  /** @returns `host:port` */
  async start(): Promise<string> {
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    return `127.0.0.1:${port}`;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #answer(typeUrl: string): Uint8Array {
    const resources = (this.#content.get(typeUrl) ?? []).map(({ name, body }) => ({
      name,
      version: "1",
      resource: { typeUrl, value: body },
    }));
    const nonce = `n${++this.#nonce}`;
    return toBinary(DeltaDiscoveryResponseSchema, create(DeltaDiscoveryResponseSchema, { typeUrl, nonce, resources }));
  }
}
