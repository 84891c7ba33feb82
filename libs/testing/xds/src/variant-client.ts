import { Client, type ClientDuplexStream, credentials, status, type StatusObject } from "@grpc/grpc-js";
import { discoveryPath, type XdsService, type XdsVariant } from "./discovery-paths.ts";
import { decodeResponse, encodeRequest, type WireRequest, type WireResponse } from "./xds-wire.ts";

export interface VariantClientOptions {
  /** `host:port`. */
  readonly address: string;
  readonly variant: XdsVariant;
  readonly service: XdsService;
  /** undefined: requests carry no node. @default "test-node" */
  readonly nodeId?: string | undefined;
  /** How long `next` waits before it fails. @default 5 s */
  readonly timeoutMs?: number;
}

/** One gRPC stream, and the responses that nobody took yet. */
class Wire {
  readonly call: ClientDuplexStream<Buffer, WireResponse>;
  readonly unread: WireResponse[] = [];
  readonly ended: Promise<StatusObject>;
  #wake: () => void = () => undefined;
  #ended: StatusObject | undefined;

  constructor(client: Client, path: string, variant: XdsVariant) {
    this.call = client.makeBidiStreamRequest(
      path,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => decodeResponse(variant, bytes),
    );
    this.ended = new Promise((resolve) => this.call.on("status", resolve));
    this.call.on("error", () => undefined);
    this.call.on("data", (response: WireResponse) => {
      this.unread.push(response);
      this.#wake();
    });
    void this.ended.then((ended) => {
      this.#ended = ended;
      this.#wake();
    });
  }

  async take(typeUrl: string, timeoutMs: number): Promise<WireResponse> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const index = this.unread.findIndex((response) => response.typeUrl === typeUrl);
      if (index >= 0) return this.unread.splice(index, 1)[0]!;
      if (this.#ended !== undefined)
        throw new Error(`the stream ended with ${status[this.#ended.code]} ${this.#ended.details}`);
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no response for ${typeUrl} within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/**
 * A client that speaks either variant over either kind of service, so that one test covers all four. What it asks for is
 * said as a change; in state of the world it sends the whole list that follows from it.
 */
export class VariantClient {
  readonly variant: XdsVariant;
  readonly service: XdsService;
  readonly #options: VariantClientOptions;
  readonly #client: Client;
  readonly #wires = new Map<string, Wire>();
  readonly #names = new Map<string, ReadonlySet<string>>();
  readonly #first = new Set<Wire>();
  /** All responses, in the order of their taking. */
  readonly taken: WireResponse[] = [];

  constructor(options: VariantClientOptions) {
    this.variant = options.variant;
    this.service = options.service;
    this.#options = options;
    this.#client = new Client(options.address, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": -1,
    });
  }

  #wireOf(typeUrl: string): Wire {
    const path = discoveryPath(typeUrl, this.variant, this.service);
    let wire = this.#wires.get(path);
    if (wire === undefined) this.#wires.set(path, (wire = new Wire(this.#client, path, this.variant)));
    return wire;
  }

  /** How the stream of the type ended. */
  ended(typeUrl: string): Promise<StatusObject> {
    return this.#wireOf(typeUrl).ended;
  }

  /** As it is; the node goes with the first message of a stream unless it is given. @param onStreamOf the stream, when the request names another type */
  send(request: WireRequest, onStreamOf = request.typeUrl): void {
    const wire = this.#wireOf(onStreamOf);
    const isFirst = !this.#first.has(wire);
    this.#first.add(wire);
    const nodeId = "nodeId" in this.#options ? this.#options.nodeId : "test-node";
    const node = isFirst && nodeId !== undefined ? { node: { id: nodeId } } : {};
    wire.call.write(encodeRequest(this.variant, { ...node, ...request }));
  }

  sendBytes(typeUrl: string, bytes: Buffer): void {
    this.#wireOf(typeUrl).call.write(bytes);
  }

  /** Asks for names in addition. Without names at first: all there is. */
  subscribe(typeUrl: string, ...names: readonly string[]): void {
    this.change(typeUrl, { subscribe: names });
  }

  unsubscribe(typeUrl: string, ...names: readonly string[]): void {
    this.change(typeUrl, { unsubscribe: names });
  }

  /** Changes what is asked for, and may answer a response in the same message. */
  change(
    typeUrl: string,
    change: { readonly subscribe?: readonly string[]; readonly unsubscribe?: readonly string[] },
    rest: Partial<WireRequest> = {},
  ): void {
    const names = new Set(this.#names.get(typeUrl));
    for (const name of change.subscribe ?? []) names.add(name);
    for (const name of change.unsubscribe ?? []) names.delete(name);
    this.#names.set(typeUrl, names);
    this.send({ typeUrl, names: [...names], ...change, ...rest });
  }

  async next(typeUrl: string): Promise<WireResponse> {
    const response = await this.#wireOf(typeUrl).take(typeUrl, this.#options.timeoutMs ?? 5000);
    this.taken.push(response);
    return response;
  }

  ack({ typeUrl, nonce, version }: WireResponse, change = {}): void {
    this.change(typeUrl, change, { nonce, version });
  }

  nack(
    { typeUrl, nonce }: WireResponse,
    message: string,
    { version = "", ...change }: { version?: string; subscribe?: string[]; unsubscribe?: string[] } = {},
  ): void {
    this.change(typeUrl, change, { nonce, version, error: { message } });
  }

  /** `next` and `ack` in one. */
  async nextAcked(typeUrl: string): Promise<WireResponse> {
    const response = await this.next(typeUrl);
    this.ack(response);
    return response;
  }

  /** Ends all streams in the orderly way. The server has then answered all it was sent. @returns what nobody took */
  async finish(): Promise<WireResponse[]> {
    const unread: WireResponse[] = [];
    for (const wire of this.#wires.values()) {
      wire.call.end();
      const ended = await wire.ended;
      if (ended.code !== status.OK) throw new Error(`the stream ended with ${status[ended.code]} ${ended.details}`);
      unread.push(...wire.unread);
    }
    return unread;
  }

  /** Cancels all streams and closes the connection. */
  close(): void {
    for (const wire of this.#wires.values()) wire.call.cancel();
    this.#client.close();
  }
}
