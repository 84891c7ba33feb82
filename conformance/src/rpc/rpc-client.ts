import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { FrameCollector, type RpcFrame, type RpcProtocol } from "@fairlead/codec-rpc";

/** A client of one connection, with ids of its own choice. */
export class RpcClient implements Disposable {
  readonly #protocol: RpcProtocol;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, PromiseWithResolvers<RpcFrame>>();
  #nextId = 1000;

  private constructor(protocol: RpcProtocol, socket: Socket) {
    this.#protocol = protocol;
    this.#socket = socket;
    const collector = new FrameCollector(protocol);
    socket.on("data", (chunk: Buffer) =>
      collector.execute(chunk, (bytes) => {
        const frame = protocol.frameOf(Buffer.from(bytes));
        if (frame.kind === "response") this.#waiting.get(frame.idLow)?.resolve(frame);
      }),
    );
    const fail = (error?: Error): void => {
      for (const call of this.#waiting.values()) call.reject(error ?? new Error("the connection is closed"));
    };
    socket.on("error", fail);
    socket.on("close", () => fail());
  }

  static async connect(protocol: RpcProtocol, port: number): Promise<RpcClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new RpcClient(protocol, socket);
  }

  /** @param request gets an id of this client's */
  async call(request: Buffer): Promise<RpcFrame> {
    const id = this.#nextId++;
    const bytes = Buffer.from(request);
    this.#protocol.setId(bytes, 0, id);
    const answer = Promise.withResolvers<RpcFrame>();
    this.#waiting.set(id, answer);
    this.#socket.write(bytes);
    return await answer.promise.finally(() => this.#waiting.delete(id));
  }

  /** The status that the framework of the caller sees. */
  async statusOf(request: Buffer): Promise<number> {
    return this.#protocol.outcomeOf(await this.call(request)).status;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
