import { setTimeout as pause } from "node:timers/promises";
import type { ConnectionState } from "@fairlead/bus";
import { busError, notifyState } from "@fairlead/bus/adapter";
import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { NatsSession } from "./nats-session.ts";
import type { ServerAddress } from "./server-address.ts";

const connectTimeoutMs = 2000;
/** Two pings without an answer: a server that hangs is given up after 3 intervals. */
const pingIntervalMs = 2000;
const firstPauseMs = 100;
const longestPauseMs = 5000;
const retryPauseMs = 50;

export interface NatsLinkOptions {
  readonly address: ServerAddress;
  readonly name: string;
  readonly logger: Logger;
  /** For one request to the server. */
  readonly requestTimeoutMs: number;
}

/**
 * Holds a connection, and makes a new one for as long as it takes whenever it is lost.
 *
 * The client library's own reconnect is off: it replays subscriptions and buffered messages as they were, while each follower
 * here must look first whether its stream is still the same one.
 */
export class NatsLink {
  readonly #options: NatsLinkOptions;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  readonly #running: Promise<void>;
  #state: ConnectionState = "disconnected";
  #session: NatsSession | undefined;
  /** Those who wait for the next session, or for the end. */
  readonly #waiting = new Set<() => void>();

  constructor(options: NatsLinkOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The session of now, or the next one. @returns undefined once `signal` is aborted or the link closed */
  async session(signal: AbortSignal): Promise<NatsSession | undefined> {
    const isOver = () => signal.aborted || this.#closing.signal.aborted;
    while (this.#session === undefined && !isOver()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => resolve(), { once: true });
      this.#waiting.add(resolve);
      await promise;
      this.#waiting.delete(resolve);
    }
    return isOver() ? undefined : this.#session;
  }

  /**
   * Does work that is safe to do twice, again and again until it succeeds or the time is over.
   *
   * @param work gets a function that says how many milliseconds are left
   * @throws FairleadError FL_BUS_UNAVAILABLE after `limitMs`, FL_BUS_CLOSED, or the FairleadError that `work` throws
   */
  async within<T>(
    what: string,
    limitMs: number,
    work: (session: NatsSession, leftMs: () => number) => Promise<T>,
  ): Promise<T> {
    const deadlineAt = performance.now() + limitMs;
    const leftMs = () => deadlineAt - performance.now();
    const over = Promise.withResolvers<undefined>();
    let isOver = false;
    /** Made where there is no session to be had at once: most have one, and there are thousands of writes. */
    let deadline: AbortController | undefined;
    const timer = setTimeout(() => {
      isOver = true;
      deadline?.abort();
      over.resolve(undefined);
    }, limitMs);
    let last: unknown;
    const attempts = async () => {
      for (;;) {
        if (isOver) return undefined;
        const atOnce = this.#closing.signal.aborted ? undefined : this.#session;
        const session = atOnce ?? (await this.session((deadline ??= new AbortController()).signal));
        if (session === undefined) return undefined;
        try {
          return { result: await work(session, leftMs) };
        } catch (error) {
          if (error instanceof FairleadError) throw error;
          last = error;
          await pause(retryPauseMs);
        }
      }
    };
    try {
      const done = await Promise.race([attempts(), over.promise]);
      if (done !== undefined) return done.result;
    } finally {
      clearTimeout(timer);
    }
    if (this.#closing.signal.aborted) throw busError("FL_BUS_CLOSED", `cannot ${what}: the bus is closed`);
    const where = this.#options.address.hosts.join(",");
    const reason = this.#state === "connected" ? "did not do it" : "was not reachable";
    const detail = last instanceof Error ? `; the last answer was: ${last.message}` : "";
    throw busError("FL_BUS_UNAVAILABLE", `cannot ${what}: NATS at ${where} ${reason} within ${limitMs} ms${detail}`, {
      facts: { servers: where, state: this.#state },
      cause: last,
    });
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#become("closed");
    this.#closing.abort();
    for (const wake of this.#waiting) wake();
    await this.#session?.connection.close();
    await this.#running;
    this.#listeners.clear();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const { logger, address, requestTimeoutMs } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const connection = await this.#connect();
        const session = await NatsSession.open(connection, requestTimeoutMs);
        if (signal.aborted) return await connection.close();
        failures = 0;
        logger.info({ server: connection.getServer(), version: connection.info?.version }, "connected to NATS");
        if (connection.info?.jetstream !== true) {
          logger.error({ server: connection.getServer() }, "NATS has no JetStream; start nats-server with -js");
        }
        this.#adopt(session);
        const reason = await connection.closed();
        this.#session = undefined;
        if (signal.aborted) return;
        this.#become("disconnected");
        logger.warn({ reason: reason?.message }, "lost the connection to NATS");
      } catch (error) {
        failures++;
        // One line when it begins and then one a minute or so, not one for each attempt.
        if (failures === 1 || failures % 12 === 0) {
          logger.warn({ servers: address.hosts, failures, err: error }, "cannot connect to NATS; trying again");
        }
      }
      const ceiling = Math.min(longestPauseMs, firstPauseMs * 2 ** failures);
      await pause(ceiling * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  }

  async #connect(): Promise<NatsConnection> {
    const { address, name } = this.#options;
    return await connect({
      servers: [...address.hosts],
      name,
      ...address.login,
      ...(address.tls ? { tls: {} } : {}),
      reconnect: false,
      timeout: connectTimeoutMs,
      pingInterval: pingIntervalMs,
      maxPingOut: 2,
      noAsyncTraces: true,
    });
  }

  #adopt(session: NatsSession): void {
    this.#session = session;
    this.#become("connected");
    for (const wake of this.#waiting) wake();
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    notifyState(this.#listeners, state, this.#options.logger);
  }
}
