import { once } from "node:events";
import { createServer } from "node:http";
import { Server, ServerCredentials, type ServerDuplexStream, type ServerUnaryCall } from "@grpc/grpc-js";
import { decodeMessage, encodeMessage, type Message } from "../payload.ts";

export type Answer = (body: Message["body"]) => Readonly<Record<string, unknown>>;

/**
 * Nacos' gRPC and login as far as a test of the client needs them, for what a real server cannot be told to do: garbage, silence, a token that
 * has ended. Its answers have the fields that Nacos 2.2.4 was seen to answer with.
 */
export interface NacosStandIn {
  readonly address: string;
  readonly grpcPort: number;
  /** By type of request; more may be set. Unknown ones are answered with 302, as Nacos does. */
  readonly answers: Map<string, Answer>;
  /** All requests, but for signs of life; with the token of each. */
  readonly requests: { readonly type: string; readonly body: Message["body"]; readonly token: string | undefined }[];
  /** What clients answered to pushes. */
  readonly acknowledged: Message[];
  readonly logins: URLSearchParams[];
  /** To all clients. */
  push(type: string, body: object): void;
  /** Bytes that are no message. */
  pushGarbage(): void;
  /** Ends all connections; new ones are taken. */
  drop(): void;
  stop(): Promise<void>;
}

const ok = { resultCode: 200, errorCode: 0 };
const garbage = Symbol("garbage");

export async function startNacosStandIn(tokenTtlSeconds = 18_000): Promise<NacosStandIn> {
  const streams = new Set<ServerDuplexStream<Message, Message | typeof garbage>>();
  const requests: NacosStandIn["requests"] = [];
  const acknowledged: Message[] = [];
  const logins: URLSearchParams[] = [];
  const answers = new Map<string, Answer>([
    ["ServerCheckRequest", () => ({ ...ok, connectionId: "1" })],
    ["HealthCheckRequest", () => (streams.size > 0 ? ok : { resultCode: 500, errorCode: 301, message: "Connection is unregistered." })],
  ]); // prettier-ignore
  const serialize = (message: Message | typeof garbage) => (message === garbage ? Buffer.from("no payload") : encodeMessage(message)); // prettier-ignore
  const method = (path: string, streaming: boolean) => ({ path, requestStream: streaming, responseStream: streaming, requestSerialize: encodeMessage, requestDeserialize: decodeMessage, responseSerialize: serialize, responseDeserialize: decodeMessage }); // prettier-ignore
  const server = new Server({ "grpc.max_receive_message_length": 64 * 1024 * 1024 });
  server.addService(
    { request: method("/Request/request", false), stream: method("/BiRequestStream/requestBiStream", true) },
    {
      request({ request }: ServerUnaryCall<Message, Message>, reply: (error: null, answer: Message) => void) {
        const { type, body, headers } = request;
        if (type !== "HealthCheckRequest") requests.push({ type, body, token: headers?.["accessToken"] });
        const answer = answers.get(type)?.(body) ?? { resultCode: 500, errorCode: 302, message: "RequestHandler Not Found" }; // prettier-ignore
        reply(null, { type: type.replace(/Request$/, "Response"), body: answer });
      },
      stream(stream: ServerDuplexStream<Message, Message | typeof garbage>) {
        stream.on("data", (message: Message) => {
          if (message.type === "ConnectionSetupRequest") streams.add(stream);
          else acknowledged.push(message);
        });
        stream.on("error", () => undefined).on("end", () => stream.end());
        stream.on("close", () => streams.delete(stream)).on("cancelled", () => streams.delete(stream));
      },
    },
  );
  const http = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      logins.push(new URLSearchParams(text));
      response.end(JSON.stringify({ accessToken: `token-${logins.length}`, tokenTtl: tokenTtlSeconds, globalAdmin: false })); // prettier-ignore
    });
  });
  const { port, grpcPort } = await listen(http, server);
  const pushAll = (message: Message | typeof garbage) => streams.forEach((stream) => void stream.write(message));
  return {
    address: `127.0.0.1:${port}`,
    grpcPort,
    answers,
    requests,
    acknowledged,
    logins,
    push: (type, body) => pushAll({ type, body: { ...body } }),
    pushGarbage: () => pushAll(garbage),
    drop() {
      for (const stream of streams) stream.destroy();
      streams.clear();
    },
    async stop() {
      server.forceShutdown();
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

/** Two ports that are 1000 apart. */
async function listen(http: ReturnType<typeof createServer>, grpc: Server) {
  for (;;) {
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const address = http.address();
    if (address === null || typeof address === "string") throw new Error("a TCP server has an address with a port");
    const grpcPort = address.port + 1_000;
    const bound = await new Promise<boolean>((resolve) =>
      grpc.bindAsync(`127.0.0.1:${grpcPort}`, ServerCredentials.createInsecure(), (error) => resolve(error === null)),
    );
    if (bound) return { port: address.port, grpcPort };
    http.close();
    await once(http, "close");
  }
}
