import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { ServedBy } from "../shop-service.ts";
import { framesOf, type RpcProtocol, rpcProtocol } from "./rpc-protocol.ts";
import { answerOf, type RpcShopService } from "./rpc-service.ts";

/** Serves one instance of a service over Dubbo or bolt. */
export class RpcServer {
  readonly #service: RpcShopService;
  readonly #servedBy: ServedBy;
  readonly #protocol: RpcProtocol;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(service: RpcShopService, servedBy: ServedBy) {
    this.#service = service;
    this.#servedBy = servedBy;
    this.#protocol = rpcProtocol(service.protocol);
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** @returns the port that it listens on */
  async listen(bind: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, bind, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends connections too: nobody calls any more once the service is withdrawn. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroySoon();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const { encoder, decoder } = framesOf(this.#protocol, socket);
    decoder.on("request", (request) => {
      const { methodName, args } = request.data;
      try {
        const appResponse = answerOf(this.#service, methodName, args, this.#servedBy);
        encoder.writeResponse(request, { isError: false, appResponse });
      } catch (error) {
        encoder.writeResponse(request, { isError: true, errorMsg: (error as Error).message });
      }
    });
  }
}
