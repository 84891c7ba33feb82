import type { Logger } from "@fairlead/logging";
import { ServerRounds, Turns } from "@fairlead/reconnect";
import { AccessToken, type NacosCredentials } from "./access-token.ts";
import { Connection } from "./connection.ts";
import { isAccessDenied, isRefusal, unavailable } from "./nacos-error.ts";
import type { Message } from "./payload.ts";
import { type NacosAddress, parseNacosAddresses } from "./server-addresses.ts";

export interface NacosOptions {
  /** `nacos1:8848,nacos2:8848`: HTTP ports; gRPC is 1000 above. */
  readonly servers: string;
  readonly logger: Logger;
  /** @default public */
  readonly namespace?: string;
  /** @default none: the server asks nobody who he is */
  readonly credentials?: NacosCredentials | undefined;
  /** A connection that is silent counts as lost within two thirds of it. @default 15000 */
  readonly sessionTimeoutMs?: number;
  /** For one connection with its handshake. @default 5000 */
  readonly connectTimeoutMs?: number;
  /** @default 5000 */
  readonly requestTimeoutMs?: number;
  /** Answers under way at a time; more wait. @default 100 */
  readonly maxPending?: number;
  /** Of one message, both ways: a larger one fails. @default 16777216 */
  readonly maxMessageBytes?: number;
}

export interface NacosEvents {
  /** Connected, the first time or again: nothing is subscribed to or registered over this connection yet. */
  onConnected(): void;
  /** The connection is lost, and with it what was registered over it. The client connects again by itself. */
  onSuspended(): void;
  /** What the server tells by itself; already acknowledged. */
  onPush(message: Message): void;
}

export type NacosState = "connecting" | "connected" | "suspended" | "closed";

/** Of the longest first wait between attempts. */
const firstBackOffMs = 100;
/** Also Nacos' own: it asks who has been silent for 20 s. */
const maxKeepAliveMs = 5_000;
const unregistered = 301;

/** A connection with one server of a Nacos cluster that is kept up: with the next server where one is lost. */
export class NacosClient {
  readonly #options: Required<Omit<NacosOptions, "credentials">>;
  readonly #events: NacosEvents;
  readonly #rounds: ServerRounds<NacosAddress>;
  readonly #token: AccessToken | undefined;
  readonly #ended = new AbortController();
  readonly #turns: Turns;
  #state: NacosState = "connecting";
  #connection: Connection | undefined;
  #running: Promise<void> | undefined;

  /** @throws FairleadError FL_NACOS_ADDRESS_INVALID */
  constructor({ credentials, ...options }: NacosOptions, events: NacosEvents) {
    this.#options = {
      namespace: "public",
      sessionTimeoutMs: 15_000,
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 5_000,
      maxPending: 100,
      maxMessageBytes: 16 * 1024 * 1024,
      ...options,
    };
    this.#events = events;
    const servers = parseNacosAddresses(options.servers);
    this.#rounds = new ServerRounds(servers, { backOff: { baseMs: firstBackOffMs } });
    this.#turns = new Turns(this.#options.maxPending);
    this.#token = credentials === undefined ? undefined : new AccessToken({ servers, credentials });
  }

  get state(): NacosState {
    return this.#state;
  }

  get namespace(): string {
    return this.#options.namespace;
  }

  /** Begins to connect; `onConnected` tells when it is done. */
  start(): void {
    this.#running ??= this.#connect();
  }

  /** What was registered over the connection is gone at once. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#ended.abort();
    this.#connection?.destroy(unavailable("the client was closed"));
    await this.#running;
    this.#turns.callAll();
  }

  /** The connection is of no use any more, though it answers: another one begins. */
  reconnect(reason: string): void {
    this.#connection?.destroy(unavailable(reason));
  }

  /**
   * @param type the name of the request's class
   * @returns the fields of the answer
   * @throws FairleadError FL_NACOS_UNAVAILABLE, also at once while there is no connection; FL_NACOS_REFUSED
   */
  async request(type: string, body: object): Promise<Message["body"]> {
    return await this.#turns.run(() => this.#requestNow(type, body));
  }

  async #requestNow(type: string, body: object): Promise<Message["body"]> {
    const connection = this.#connection;
    if (connection === undefined) throw unavailable(`cannot send a ${type}: there is no connection with Nacos`);
    const { accessToken } = await this.#headers();
    try {
      return await connection.request(type, body);
    } catch (error) {
      if (isRefusal(error, unregistered)) connection.destroy(unavailable("the server does not know the connection"));
      if (!isAccessDenied(error) || accessToken === undefined) throw error;
      // It may have ended before its time, with the server's key.
      this.#token?.reject(accessToken);
      return await connection.request(type, body);
    }
  }

  async #headers(): Promise<{ readonly accessToken?: string }> {
    return this.#token === undefined ? {} : { accessToken: await this.#token.get() };
  }

  /** Tries one server after the other until one takes the connection, or the client is closed. */
  async #connect(): Promise<void> {
    await this.#rounds.take((server) => this.#try(server), this.#ended.signal);
  }

  async #try(server: NacosAddress): Promise<boolean> {
    const { logger, sessionTimeoutMs, ...limits } = this.#options;
    const keepAliveMs = Math.min(maxKeepAliveMs, sessionTimeoutMs / 3);
    try {
      const headers = async () => ({ ...(await this.#headers()) });
      const connection: Connection = await Connection.open(
        { ...limits, server, keepAliveMs, headers },
        {
          onPush: (message) => {
            if (this.#connection === connection) this.#events.onPush(message);
          },
          onClosed: (reason) => this.#lost(connection, reason),
        },
      );
      if (this.#ended.signal.aborted) {
        connection.destroy(unavailable("the client was closed"));
        return true;
      }
      if (connection.isClosed) return false;
      this.#connection = connection;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const level = isAccessDenied(error) ? "warn" : "debug";
      logger[level]({ server: `${server.host}:${server.port}`, reason }, "no connection with Nacos");
      return false;
    }
    this.#state = "connected";
    this.#running = undefined;
    this.#events.onConnected();
    return true;
  }

  #lost(connection: Connection, reason: Error): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    if (this.#state === "closed") return;
    this.#state = "suspended";
    this.#options.logger.warn({ reason: reason.message }, "the connection with Nacos is lost");
    this.#events.onSuspended();
    this.#running = this.#connect();
  }
}
