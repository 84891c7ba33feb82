import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { FrameCollector, type RpcCall, type RpcFrame, type RpcProtocol } from "@fairlead/codec-rpc";

/** A service as an application has it: it answers all calls with one value, and keeps what it was called with. */
export class RpcHost implements AsyncDisposable {
  readonly calls: RpcCall[] = [];
  /** It takes calls and answers none of them. */
  silent = false;
  readonly #protocol: RpcProtocol;
  readonly #answer: Buffer;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param answer a response whose id is replaced */
  private constructor(protocol: RpcProtocol, answer: Buffer) {
    this.#protocol = protocol;
    this.#answer = answer;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(protocol: RpcProtocol, answer: Buffer): Promise<RpcHost> {
    const host = new RpcHost(protocol, answer);
    host.#server.listen(0, "127.0.0.1");
    await once(host.#server, "listening");
    return host;
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const collector = new FrameCollector(this.#protocol);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("data", (chunk: Buffer) =>
      collector.execute(chunk, (bytes) => this.#onFrame(this.#protocol.frameOf(Buffer.from(bytes)), socket)),
    );
  }

  #onFrame(frame: RpcFrame, socket: Socket): void {
    if (frame.kind === "heartbeat") socket.write(this.#protocol.heartbeatReply(frame));
    if (frame.kind !== "request" && frame.kind !== "one-way") return;
    this.calls.push(this.#protocol.callOf(frame));
    if (frame.kind === "one-way" || this.silent) return;
    const answer = Buffer.from(this.#answer);
    this.#protocol.setId(answer, frame.idHigh, frame.idLow);
    socket.write(answer);
  }
}
