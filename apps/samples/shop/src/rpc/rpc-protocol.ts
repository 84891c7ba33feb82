import { createRequire } from "node:module";
import type { Readable, Transform, Writable } from "node:stream";

export type RpcProtocolName = "dubbo" | "bolt";

/** A value with its class in Java, as the two libraries write and read them. */
export interface JavaValue {
  readonly $class: string;
  readonly $: unknown;
}

export interface RpcRequest {
  readonly packetId: number;
  readonly data: {
    readonly serverSignature: string;
    readonly methodName: string;
    readonly args: readonly unknown[];
  };
}

export interface RpcResponse {
  readonly packetId: number;
  readonly data: { readonly appResponse: unknown; readonly error?: Error | null };
}

/** Frames into a socket. */
interface Encoder extends Transform {
  writeRequest(id: number, request: object): void;
  writeResponse(request: RpcRequest, response: object): void;
  writeHeartbeatAck(heartbeat: unknown): void;
}

/** Frames out of a socket: events `request`, `response` and `heartbeat`. */
interface Decoder extends Writable {
  on(event: "request", listener: (request: RpcRequest) => void): this;
  on(event: "response", listener: (response: RpcResponse) => void): this;
  on(event: "heartbeat", listener: (heartbeat: unknown) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
}

/** What dubbo-remoting and sofa-bolt-node have in common. */
export interface RpcProtocol {
  encoder(options: { readonly sentReqs: ReadonlyMap<number, unknown> }): Encoder;
  decoder(options: { readonly sentReqs: ReadonlyMap<number, unknown> }): Decoder;
}

const require = createRequire(import.meta.url);

/** The library of a protocol: plain ones that know nothing of a mesh. */
export function rpcProtocol(name: RpcProtocolName): RpcProtocol {
  return require(name === "dubbo" ? "dubbo-remoting" : "sofa-bolt-node") as RpcProtocol;
}

/** Connects both ends of a codec with a socket. What goes wrong ends the socket, whose `close` tells it. */
export function framesOf(
  protocol: RpcProtocol,
  socket: Readable & Writable,
  sentReqs: ReadonlyMap<number, unknown> = new Map(),
): { readonly encoder: Encoder; readonly decoder: Decoder } {
  const encoder = protocol.encoder({ sentReqs });
  const decoder = protocol.decoder({ sentReqs });
  const end = () => socket.destroy();
  encoder.on("error", end);
  decoder.on("error", end);
  socket.on("error", end);
  encoder.pipe(socket);
  socket.pipe(decoder);
  decoder.on("heartbeat", (heartbeat) => encoder.writeHeartbeatAck(heartbeat));
  return { encoder, decoder };
}
