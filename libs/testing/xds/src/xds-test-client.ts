import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { Client, type ClientDuplexStream, credentials, status, type StatusObject } from "@grpc/grpc-js";

const methodPath = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

/** A DiscoveryRequest, field by field. */
export type RequestInit = Exclude<MessageInitShape<typeof DiscoveryRequestSchema>, DiscoveryRequest>;

/** One message of the stream, in the order of the client. */
export interface XdsLogEntry {
  readonly direction: "sent" | "received";
  readonly typeUrl: string;
  readonly nonce: string;
  readonly versionInfo: string;
  /** Sent: the names asked for. Received: how many resources it carries, as text. */
  readonly what: string;
  readonly error: string | undefined;
}

export interface XdsTestClientOptions {
  /** `host:port`. */
  readonly address: string;
  /** undefined: requests carry no node. @default "test-node" */
  readonly nodeId?: string | undefined;
  /** The node's cluster. @default "test-app" */
  readonly app?: string;
  /** How long `next` and the like wait before they fail. @default 5 s */
  readonly timeoutMs?: number;
}

interface Waiter {
  readonly wanted: (response: DiscoveryResponse) => boolean;
  readonly resolve: (response: DiscoveryResponse) => void;
}

/** A client that keeps no rules: it sends what it is told, takes what comes, and remembers both. */
export class XdsTestClient {
  readonly #options: Required<Omit<XdsTestClientOptions, "nodeId">> & { readonly nodeId: string | undefined };
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Buffer, DiscoveryResponse>;
  readonly #unread: DiscoveryResponse[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #names = new Map<string, readonly string[]>();
  readonly log: XdsLogEntry[] = [];
  /** How the stream ended. */
  readonly ended: Promise<StatusObject>;
  #barriers = 0;
  #barrierNonce = "";

  constructor(options: XdsTestClientOptions) {
    this.#options = {
      app: "test-app",
      timeoutMs: 5000,
      ...options,
      nodeId: "nodeId" in options ? options.nodeId : "test-node",
    };
    this.#client = new Client(options.address, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": -1,
    });
    this.#call = this.#client.makeBidiStreamRequest(
      methodPath,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => fromBinary(DiscoveryResponseSchema, bytes),
    );
    this.ended = new Promise((resolve) => this.#call.on("status", resolve));
    this.#call.on("error", () => undefined);
    this.#call.on("data", (response) => this.#receive(response));
  }

  #receive(response: DiscoveryResponse): void {
    const { typeUrl, nonce, versionInfo } = response;
    this.log.push({
      direction: "received",
      typeUrl,
      nonce,
      versionInfo,
      what: String(response.resources.length),
      error: undefined,
    });
    const index = this.#waiters.findIndex((waiter) => waiter.wanted(response));
    if (index < 0) this.#unread.push(response);
    else this.#waiters.splice(index, 1)[0]?.resolve(response);
  }

  /** Sends a request as it is; the node is added unless it is given or the client has none. */
  send(init: RequestInit): void {
    const { nodeId, app } = this.#options;
    const node = nodeId === undefined ? {} : { node: { id: nodeId, cluster: app, userAgentName: "xds-test-client" } };
    const request = create(DiscoveryRequestSchema, { ...node, ...init });
    const { typeUrl, responseNonce: nonce, versionInfo, resourceNames: names } = request;
    this.#names.set(typeUrl, names);
    const error = request.errorDetail?.message;
    this.log.push({ direction: "sent", typeUrl, nonce, versionInfo, what: names.join(","), error });
    this.#call.write(Buffer.from(toBinary(DiscoveryRequestSchema, request)));
  }

  sendBytes(bytes: Buffer): void {
    this.#call.write(bytes);
  }

  /** A first request for a type, or one without a nonce. */
  subscribe(typeUrl: string, names: readonly string[] = []): void {
    this.send({ typeUrl, resourceNames: [...names] });
  }

  /** The next response of the type that nobody took yet. */
  async next(typeUrl: string): Promise<DiscoveryResponse> {
    return await this.#take(`a response for ${typeUrl}`, (response) => response.typeUrl === typeUrl);
  }

  async #take(what: string, wanted: (response: DiscoveryResponse) => boolean): Promise<DiscoveryResponse> {
    const index = this.#unread.findIndex(wanted);
    const known = index < 0 ? undefined : this.#unread.splice(index, 1)[0];
    if (known !== undefined) return known;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no ${what} within ${this.#options.timeoutMs} ms; log: ${this.#logText()}`)),
        this.#options.timeoutMs,
      );
    });
    const over = this.ended.then((ended) => {
      throw new Error(`the stream ended with ${status[ended.code]} ${ended.details} before ${what}`);
    });
    const response = new Promise<DiscoveryResponse>((resolve) => this.#waiters.push({ wanted, resolve }));
    try {
      return await Promise.race([response, late, over]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param names what is wanted from now on; by default what was wanted before */
  ack(response: DiscoveryResponse, names?: readonly string[]): void {
    this.send(this.#answerTo(response, names));
  }

  nack(response: DiscoveryResponse, reason: string, names?: readonly string[]): void {
    this.send({ ...this.#answerTo(response, names), versionInfo: "", errorDetail: { code: 13, message: reason } });
  }

  #answerTo({ typeUrl, nonce, versionInfo }: DiscoveryResponse, names?: readonly string[]): RequestInit {
    return {
      typeUrl,
      responseNonce: nonce,
      versionInfo,
      resourceNames: [...(names ?? this.#names.get(typeUrl) ?? [])],
    };
  }

  /** `next` and `ack` in one. */
  async nextAcked(typeUrl: string, names?: readonly string[]): Promise<DiscoveryResponse> {
    const response = await this.next(typeUrl);
    this.ack(response, names);
    return response;
  }

  /** Waits until the server has answered a further request: all it had to say to those before it has then arrived. */
  async barrier(): Promise<void> {
    const typeUrl = typeUrls.listener;
    // A name that does not exist, and not twice the same: a full-set type answers with what there is of it.
    this.send({ typeUrl, resourceNames: [`barrier-${++this.#barriers}`], responseNonce: this.#barrierNonce });
    const response = await this.next(typeUrl);
    this.#barrierNonce = response.nonce;
    this.ack(response);
  }

  /** Fails when something came that nobody took. Not for streams that use listeners: the barrier does. */
  async expectSilence(): Promise<void> {
    await this.barrier();
    if (this.#unread.length > 0) throw new Error(`expected nothing, got ${this.#logText()}`);
  }

  /** Responses that nobody took. */
  get unread(): number {
    return this.#unread.length;
  }

  #logText(): string {
    return this.log
      .map((entry) => `${entry.direction} ${entry.typeUrl.split(".").at(-1)} [${entry.what}] ${entry.nonce}`)
      .join("; ");
  }

  halfClose(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  /** Cancels the stream and closes the connection. */
  close(): void {
    this.#call.cancel();
    this.#client.close();
  }
}
