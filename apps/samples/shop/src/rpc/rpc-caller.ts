import { connect, type Socket } from "node:net";
import { CallFailed } from "../mesh-caller.ts";
import { framesOf, type RpcProtocol, type RpcProtocolName, rpcProtocol } from "./rpc-protocol.ts";

const timeoutMs = 3000;
/** What the two libraries take as an id without loss. */
const maxId = 0x7fff_ffff;

interface Connection {
  readonly socket: Socket;
  readonly encoder: ReturnType<typeof framesOf>["encoder"];
  readonly waiting: Map<number, PromiseWithResolvers<unknown>>;
}

/** Calls services over Dubbo or bolt through the sidecar's port for both. One connection, made by the first call, and again once it is lost. */
export class RpcCaller {
  readonly #protocol: RpcProtocol;
  readonly #sidecar: { readonly host: string; readonly port: number };
  #connection: Connection | undefined;
  #lastId = 0;

  constructor(name: RpcProtocolName, sidecar: { readonly host: string; readonly port: number }) {
    this.#protocol = rpcProtocol(name);
    this.#sidecar = sidecar;
  }

  /**
   * @param attachments for the mesh and the callee, such as the trace
   * @throws CallFailed
   */
  async call(
    service: string,
    method: string,
    args: readonly string[],
    attachments: Readonly<Record<string, string>> = {},
  ): Promise<unknown> {
    const connection = (this.#connection ??= this.#connect());
    const id = (this.#lastId = (this.#lastId % maxId) + 1);
    const answer = Promise.withResolvers<unknown>();
    const late = setTimeout(() => answer.reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    connection.waiting.set(id, answer);
    connection.encoder.writeRequest(id, {
      serverSignature: service,
      methodName: method,
      args: args.map((text) => ({ $class: "java.lang.String", $: text })),
      requestProps: attachments,
      timeout: timeoutMs,
    });
    try {
      return await answer.promise;
    } catch (cause) {
      throw new CallFailed(`${service}.${method}: ${(cause as Error).message}`, { cause });
    } finally {
      clearTimeout(late);
      connection.waiting.delete(id);
    }
  }

  close(): void {
    this.#connection?.socket.destroy();
  }

  #connect(): Connection {
    const socket = connect({ ...this.#sidecar, noDelay: true });
    const waiting: Connection["waiting"] = new Map();
    const { encoder, decoder } = framesOf(this.#protocol, socket, waiting);
    const connection = { socket, encoder, waiting };
    decoder.on("response", ({ packetId, data }) => {
      const call = waiting.get(packetId);
      if (data.error == null) call?.resolve(data.appResponse);
      else call?.reject(data.error);
    });
    socket.once("close", () => {
      if (this.#connection === connection) this.#connection = undefined;
      for (const call of waiting.values()) call.reject(new Error("the connection to the sidecar was lost"));
    });
    return connection;
  }
}
