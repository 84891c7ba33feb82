import { setTimeout as pause } from "node:timers/promises";
import { Client, type ClientDuplexStream, credentials, status, type StatusObject } from "@grpc/grpc-js";
import { isRefusal, refused, unavailable } from "./nacos-error.ts";
import { decodeMessage, encodeMessage, type Message } from "./payload.ts";
import { authorityOf, type NacosAddress } from "./server-addresses.ts";

export interface ConnectionOptions {
  readonly server: NacosAddress;
  readonly namespace: string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** From one sign of life that is asked for to the next; without an answer for as long, the connection is lost. */
  readonly keepAliveMs: number;
  readonly maxMessageBytes: number;
  /** Of each request: the access token. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
}

export interface ConnectionEvents {
  /** Already acknowledged. */
  onPush(message: Message): void;
  /** Once, after it was open. */
  onClosed(reason: Error): void;
}

const unaryPath = "/Request/request";
const streamPath = "/BiRequestStream/requestBiStream";
/** The server knows a connection a little after it was told of it. */
const notYetRegistered = 301;
const registrationPauseMs = 20;
const success = 200;

/** Pushes that this client understands, each with what it is answered; others are not, as Nacos then counts on who is silent. */
const answers: Readonly<Record<string, string>> = {
  NotifySubscriberRequest: "NotifySubscriberResponse",
  ConfigChangeNotifyRequest: "ConfigChangeNotifyResponse",
  ClientDetectionRequest: "ClientDetectionResponse",
  ConnectResetRequest: "ConnectResetResponse",
  SetupAckRequest: "SetupAckResponse",
};

/**
 * One gRPC connection with a Nacos server: calls one way, pushes the other way on a stream that is as long as the connection. What is
 * registered over it is there as long as it is.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<Message, Message>;
  #keepAlive: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
    const { server, maxMessageBytes } = options;
    this.#client = new Client(authorityOf(server.host, server.grpcPort), credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": maxMessageBytes,
      "grpc.max_send_message_length": maxMessageBytes,
      "grpc.enable_retries": 0,
      "grpc.service_config_disable_resolution": 1,
      "grpc.enable_http_proxy": 0,
    });
    this.#stream = this.#client.makeBidiStreamRequest<Message, Message>(streamPath, encodeMessage, decodeMessage);
    this.#stream.on("data", (message: Message) => this.#onPush(message));
    // An error is always followed by its status; without a listener it would end the process.
    this.#stream.on("error", () => undefined);
    this.#stream.on("status", ({ code, details }: StatusObject) =>
      this.destroy(unavailable(`Nacos ended the connection: ${status[code]} ${details}`)),
    );
  }

  /** @throws FairleadError FL_NACOS_UNAVAILABLE, FL_NACOS_REFUSED */
  static async open(options: ConnectionOptions, events: ConnectionEvents): Promise<Connection> {
    const deadline = performance.now() + options.connectTimeoutMs;
    let open = false;
    let closedWith: Error | undefined;
    const connection = new Connection(options, {
      onPush: (message) => events.onPush(message),
      onClosed: (reason) => {
        closedWith = reason;
        if (open) events.onClosed(reason);
      },
    });
    try {
      await connection.request("ServerCheckRequest", {}, options.connectTimeoutMs);
      connection.#stream.write({
        type: "ConnectionSetupRequest",
        headers: await options.headers(),
        body: {
          clientVersion: "Nacos-Fairlead-Client:v2.2.4",
          tenant: options.namespace,
          labels: { source: "sdk", module: "naming", AppName: "fairlead" },
          abilities: { remoteAbility: { supportRemoteConnection: true } },
        },
      });
      await connection.#registered(deadline);
      if (closedWith !== undefined) throw closedWith;
    } catch (error) {
      connection.destroy(unavailable("it could not be opened", error));
      throw error;
    }
    open = true;
    connection.#scheduleKeepAlive();
    return connection;
  }

  /**
   * @returns the fields of the answer
   * @throws FairleadError FL_NACOS_UNAVAILABLE, FL_NACOS_REFUSED
   */
  async request(type: string, body: object, timeoutMs = this.#options.requestTimeoutMs): Promise<Message["body"]> {
    const headers = await this.#options.headers();
    const answer = await this.#call({ type, body: { ...body }, headers }, timeoutMs);
    const { resultCode, errorCode, message } = answer.body;
    if (resultCode === success) return answer.body;
    const code = typeof errorCode === "number" && errorCode !== 0 ? errorCode : Number(resultCode ?? 500);
    throw refused(type, code, typeof message === "string" ? message : "it gave no reason");
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  destroy(reason: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#keepAlive);
    this.#stream.cancel();
    this.#client.close();
    this.#events.onClosed(reason);
  }

  async #registered(deadline: number): Promise<void> {
    for (;;) {
      try {
        await this.request("HealthCheckRequest", {}, Math.max(1, deadline - performance.now()));
        return;
      } catch (error) {
        if (!isRefusal(error, notYetRegistered) || performance.now() > deadline) throw error;
        await pause(registrationPauseMs);
      }
    }
  }

  #call(message: Message, timeoutMs: number): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest<Message, Message>(
        unaryPath,
        encodeMessage,
        decodeMessage,
        message,
        { deadline: Date.now() + timeoutMs },
        (error, answer) => {
          if (error === null && answer !== undefined) resolve(answer);
          else
            reject(unavailable(`Nacos did not answer a ${message.type}: ${error?.details ?? "nothing came"}`, error));
        },
      );
    });
  }

  #onPush(message: Message): void {
    if (this.#closed) return;
    const answer = answers[message.type];
    if (answer === undefined) return;
    const { requestId } = message.body;
    this.#stream.write({ type: answer, body: { resultCode: success, errorCode: 0, success: true, requestId } });
    if (message.type === "ConnectResetRequest") this.destroy(unavailable("the server asked to connect elsewhere"));
    else this.#events.onPush(message);
  }

  #scheduleKeepAlive(): void {
    if (this.#closed) return;
    const { keepAliveMs } = this.#options;
    this.#keepAlive = setTimeout(() => {
      this.request("HealthCheckRequest", {}, keepAliveMs).then(
        () => this.#scheduleKeepAlive(),
        (error: unknown) => this.destroy(unavailable(`Nacos gave no sign of life within ${keepAliveMs} ms`, error)),
      );
    }, keepAliveMs);
  }
}
