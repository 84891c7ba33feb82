import { once } from "node:events";
import { connect, createServer, type Server, Socket } from "node:net";
import { createRequire } from "node:module";
import type { Transform, Writable } from "node:stream";

const require = createRequire(import.meta.url);

interface Library {
  encoder(options: object): Transform & {
    writeRequest(id: number, request: object): void;
    writeResponse(request: object, response: object): void;
    writeHeartbeat(id: number, heartbeat: object): void;
    writeHeartbeatAck(heartbeat: object): void;
  };
  decoder(options: object): Writable;
}

interface Answer {
  readonly packetId: number;
  readonly data: { readonly appResponse: unknown; readonly error?: Error | null };
}

export interface LibraryCall {
  readonly service: string;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly props: Readonly<Record<string, unknown>>;
}

/** What the codecs of sofa-bolt-node and dubbo-remoting are, which are called alike. */
const libraries: Readonly<Record<string, string>> = { bolt: "sofa-bolt-node", dubbo: "dubbo-remoting" };

function framesOf(protocol: string, socket: Socket, sentReqs: ReadonlyMap<number, unknown>) {
  const library = require(libraries[protocol]!) as Library;
  const encoder = library.encoder({ sentReqs });
  const decoder = library.decoder({ sentReqs });
  const end = () => socket.destroy();
  for (const stream of [encoder, decoder]) stream.on("error", end);
  socket.on("error", end);
  encoder.pipe(socket);
  socket.pipe(decoder);
  return { encoder, decoder };
}

/** A service on another's codec. It answers every call with what `answer` gives, and keeps what it was called with. */
export class LibraryServer implements AsyncDisposable {
  readonly calls: LibraryCall[] = [];
  /** undefined: it does not answer. @throws Error: as an exception of the service's framework */
  answer: (call: LibraryCall) => unknown = ({ args }) => `hello ${String(args[0])}`;
  readonly sockets = new Set<Socket>();
  readonly #protocol: string;
  readonly #server: Server;

  private constructor(protocol: string) {
    this.#protocol = protocol;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(protocol: string): Promise<LibraryServer> {
    const server = new LibraryServer(protocol);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    const { encoder, decoder } = framesOf(this.#protocol, socket, new Map());
    decoder.on("heartbeat", (heartbeat: object) => encoder.writeHeartbeatAck(heartbeat));
    decoder.on("request", (request: { data: Record<string, unknown>; oneway?: boolean }) => {
      const { serverSignature, methodName, args, requestProps } = request.data;
      const call = {
        service: String(serverSignature),
        method: String(methodName),
        args: args as unknown[],
        props: (requestProps ?? {}) as Record<string, unknown>,
      };
      this.calls.push(call);
      try {
        const value = this.answer(call);
        if (value === undefined) return;
        const appResponse = { $class: "java.lang.String", $: value };
        encoder.writeResponse(request, { isError: false, appResponse });
      } catch (error) {
        encoder.writeResponse(request, { isError: true, errorMsg: (error as Error).message });
      }
    });
  }
}

/** A caller on another's codec, over one connection. */
export class LibraryClient implements Disposable {
  heartbeatsAnswered = 0;
  readonly #socket: Socket;
  readonly #encoder: ReturnType<typeof framesOf>["encoder"];
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #isBolt: boolean;
  #lastId = 0;

  private constructor(protocol: string, socket: Socket) {
    this.#socket = socket;
    this.#isBolt = protocol === "bolt";
    const { encoder, decoder } = framesOf(protocol, socket, this.#waiting);
    this.#encoder = encoder;
    decoder.on("heartbeat", (heartbeat: object) => encoder.writeHeartbeatAck(heartbeat));
    decoder.on("heartbeat_ack", () => this.heartbeatsAnswered++);
    decoder.on("response", ({ packetId, data }: Answer) => {
      const call = this.#waiting.get(packetId);
      if (data.error === null || data.error === undefined) call?.resolve(data.appResponse);
      else call?.reject(data.error);
    });
  }

  static async connect(protocol: string, port: number): Promise<LibraryClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new LibraryClient(protocol, socket);
  }

  /** @param timeoutMs how long the caller waits, as its framework tells the other side */
  async call(
    service: string,
    method: string,
    args: readonly string[],
    { timeoutMs = 20_000, props = {} }: { timeoutMs?: number; props?: Record<string, string> } = {},
  ): Promise<unknown> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#encoder.writeRequest(id, {
      serverSignature: service,
      methodName: method,
      args: args.map((text) => ({ $class: "java.lang.String", $: text })),
      timeout: timeoutMs,
      // Dubbo's goes with the attachments.
      requestProps: this.#isBolt ? props : { ...props, timeout: String(timeoutMs) },
    });
    return await answer.promise.finally(() => this.#waiting.delete(id));
  }

  callOneWay(service: string, method: string): void {
    if (this.#isBolt) {
      const request = { serverSignature: service, methodName: method, args: [], timeout: 1000, oneway: true };
      this.#encoder.writeRequest(++this.#lastId, request);
      return;
    }
    // dubbo-remoting has no such call: the bit that asks for an answer is taken away.
    const frame = encodedCall("dubbo", service, method);
    frame[2]! &= ~0x40;
    this.#socket.write(frame);
  }

  heartbeat(): void {
    this.#encoder.writeHeartbeat(++this.#lastId, { clientUrl: "test" });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** One call as a library writes it. */
export function encodedCall(protocol: string, service: string, method: string): Buffer {
  const { encoder } = framesOf(protocol, new Socket(), new Map());
  encoder.unpipe();
  encoder.writeRequest(1, { serverSignature: service, methodName: method, args: [], requestProps: {}, timeout: 1000 });
  return encoder.read() as Buffer;
}
