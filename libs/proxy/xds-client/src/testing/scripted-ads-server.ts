import { create, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { type GenMessage } from "@bufbuild/protobuf/codegenv2";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { Server, ServerCredentials, type ServerDuplexStream, status } from "@grpc/grpc-js";

type Stream = ServerDuplexStream<DiscoveryRequest, Uint8Array>;

/** A resource as it is put into a response: `typeUrl` may be a wrong one on purpose. */
export interface ScriptedResource {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** A well-formed resource. */
export function scripted<Type extends Message>(schema: GenMessage<Type>, message: Type): ScriptedResource {
  return { typeUrl: `type.googleapis.com/${schema.typeName}`, value: toBinary(schema, message) };
}

/** A request as it was received; `stream` counts streams from 1. */
export interface ReceivedRequest {
  readonly stream: number;
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  readonly names: readonly string[];
  /** The reason of a NACK. */
  readonly nack: string | undefined;
  readonly nackCode: number | undefined;
  readonly request: DiscoveryRequest;
}

/**
 * An ADS server for tests. It answers a first request and a change of names with what `set` gave the type, pushes each
 * further `set` to the newest stream, and records every request. It leaves all else, such as waiting for ACKs, to the test.
 */
export class ScriptedAdsServer {
  readonly requests: ReceivedRequest[] = [];
  /** While set, each new stream ends with UNAVAILABLE. */
  refusing = false;
  port = 0;
  #server: Server | undefined;
  #streams = 0;
  #nonce = 0;
  #newest: { readonly stream: Stream; readonly asked: Map<string, string> } | undefined;
  readonly #content = new Map<string, { readonly version: string; readonly resources: readonly ScriptedResource[] }>();
  readonly #waiters = new Set<() => void>();

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts, or starts again on the same port. */
  async start(): Promise<void> {
    const server = new Server({ "grpc.max_send_message_length": -1 });
    server.register(
      "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
      (stream: Stream) => this.#serve(stream),
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes) => fromBinary(DiscoveryRequestSchema, bytes),
      "bidi",
    );
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.port}`, ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(error);
      });
    });
    this.#server = server;
  }

  /** Ends all connections at once. The content stays. */
  stop(): void {
    this.#newest = undefined;
    this.#server?.forceShutdown();
    this.#server = undefined;
  }

  set(typeUrl: string, version: string, resources: readonly ScriptedResource[]): void {
    this.#content.set(typeUrl, { version, resources });
    if (this.#newest?.asked.has(typeUrl) === true) this.#answer(typeUrl);
  }

  /** Sends a response as it is, whatever was asked for. */
  send(
    response: Partial<Pick<DiscoveryResponse, "typeUrl" | "versionInfo" | "nonce">>,
    resources: readonly ScriptedResource[] = [],
  ): void {
    const message = create(DiscoveryResponseSchema, {
      nonce: `n${(this.#nonce += 1)}`,
      ...response,
      resources: resources.map((resource) => create(AnySchema, resource)),
    });
    this.sendBytes(toBinary(DiscoveryResponseSchema, message));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#newest?.stream.write(bytes);
  }

  /** Ends the newest stream with an error. */
  endStream(): void {
    this.#newest?.stream.emit("error", Object.assign(new Error("ended by the test"), { code: status.UNAVAILABLE }));
    this.#newest = undefined;
  }

  /** The first request, past or coming, that fits. @throws when none has come within `deadlineMs` */
  async waitFor(
    what: string,
    fits: (request: ReceivedRequest) => boolean,
    deadlineMs = 10_000,
  ): Promise<ReceivedRequest> {
    const found = () => this.requests.find(fits);
    return await new Promise((resolve, reject) => {
      const check = () => {
        const request = found();
        if (request === undefined) return;
        clearTimeout(timer);
        this.#waiters.delete(check);
        resolve(request);
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(check);
        const seen = this.requests.map(({ stream, typeUrl, names, version, nack }) => ({
          stream,
          typeUrl,
          names,
          version,
          nack,
        }));
        reject(new Error(`${what}: not within ${deadlineMs} ms; requests were ${JSON.stringify(seen)}`));
      }, deadlineMs);
      this.#waiters.add(check);
      check();
    });
  }

  #serve(stream: Stream): void {
    const number = (this.#streams += 1);
    stream.on("error", () => undefined);
    if (this.refusing) {
      stream.emit("error", Object.assign(new Error("not synced yet"), { code: status.UNAVAILABLE }));
      return;
    }
    const asked = new Map<string, string>();
    this.#newest = { stream, asked };
    stream.on("data", (request: DiscoveryRequest) => {
      const { typeUrl, versionInfo, responseNonce, resourceNames, errorDetail } = request;
      this.requests.push({
        stream: number,
        typeUrl,
        version: versionInfo,
        nonce: responseNonce,
        names: resourceNames,
        nack: errorDetail?.message,
        nackCode: errorDetail?.code,
        request,
      });
      const names = resourceNames.join("\n");
      const changed = asked.get(typeUrl) !== names;
      asked.set(typeUrl, names);
      if (changed && this.#content.has(typeUrl) && errorDetail === undefined) this.#answer(typeUrl);
      for (const check of this.#waiters) check();
    });
    stream.on("end", () => stream.end());
  }

  #answer(typeUrl: string): void {
    const content = this.#content.get(typeUrl);
    if (content !== undefined) this.send({ typeUrl, versionInfo: content.version }, content.resources);
  }
}
