import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions as TlsOptions } from "node:tls";
import type { ServerAddress } from "./connect-string.ts";
import { FrameSplitter } from "./frame-splitter.ts";
import { JuteReader, JuteWriter } from "./jute.ts";
import { AUTH_XID, opcode, type Operation, PING_XID, WATCH_EVENT_XID } from "./operations.ts";
import type { Session } from "./session.ts";
import { refused, tooLarge, unavailable } from "./zookeeper-error.ts";

export interface ConnectionOptions {
  readonly server: ServerAddress;
  readonly tls: TlsOptions | undefined;
  /** Asked of the server; it answers with what it grants. */
  readonly sessionTimeoutMs: number;
  /** For the connection and its handshake. */
  readonly connectTimeoutMs: number;
  readonly session: Session;
  /** The last change that this client has seen: a server that is behind it refuses. */
  readonly lastZxid: bigint;
}

export interface ConnectionEvents {
  onEvent(type: WatchEventType, path: string): void;
  /** Once; all that was under way has failed before. */
  onClosed(reason: Error): void;
}

export type WatchEventType = "created" | "deleted" | "data" | "children";
/** A server's `jute.maxbuffer`, as it is by default. */
const MAX_REQUEST_BYTES = 0xf_ff_ff;

const eventTypes: Readonly<Record<number, WatchEventType>> = { 1: "created", 2: "deleted", 3: "data", 4: "children" };

interface Pending {
  readonly xid: number;
  readonly operation: Operation<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One TCP connection with its handshake done. Requests go out as they come and are answered in order. A connection that is silent for two thirds
 * of the session's time is taken for dead, so that there is time left to reach another server.
 */
export class Connection {
  readonly session: Session;
  lastZxid: bigint;
  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  readonly #splitter: FrameSplitter;
  readonly #pending: Pending[] = [];
  readonly #timer: NodeJS.Timeout;
  #nextXid = 1;
  #heardAt = performance.now();
  #sentAt = performance.now();
  #closed = false;

  private constructor(
    socket: Socket,
    splitter: FrameSplitter,
    session: Session,
    lastZxid: bigint,
    events: ConnectionEvents,
  ) {
    this.#socket = socket;
    this.#splitter = splitter;
    this.session = session;
    this.lastZxid = lastZxid;
    this.#events = events;
    this.#timer = setInterval(() => this.#checkLife(), Math.max(20, session.timeoutMs / 10));
    socket.removeAllListeners("data").removeAllListeners("close").removeAllListeners("error");
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", (error) =>
      this.destroy(unavailable(`the connection to ZooKeeper failed: ${error.message}`, error)),
    );
    socket.on("close", () => this.destroy(unavailable("ZooKeeper closed the connection")));
  }

  /**
   * Connects and agrees on a session.
   *
   * @returns "expired" when the server does not know the session any more
   * @throws FairleadError FL_ZOOKEEPER_UNAVAILABLE
   */
  static open(options: ConnectionOptions, events: ConnectionEvents): Promise<Connection | "expired"> {
    const { server, tls, connectTimeoutMs, session, lastZxid } = options;
    const where = `${server.host}:${server.port}`;
    const socket = tls === undefined ? connectTcp(server) : connectTls({ ...tls, ...server });
    socket.setNoDelay(true);
    const splitter = new FrameSplitter();
    return new Promise((resolve, reject) => {
      const fail = (message: string, cause?: unknown) => {
        clearTimeout(timer);
        socket.destroy();
        reject(unavailable(`ZooKeeper at ${where} ${message}`, cause));
      };
      const timer = setTimeout(() => fail(`did not answer within ${connectTimeoutMs} ms`), connectTimeoutMs);
      socket.once(tls === undefined ? "connect" : "secureConnect", () => socket.write(handshake(options)));
      socket.on("error", (error) => fail(`cannot be reached: ${error.message}`, error));
      socket.on("close", () => fail("closed the connection in its handshake"));
      socket.on("data", (chunk: Buffer) => {
        try {
          const [answer, ...more] = splitter.push(chunk);
          if (answer === undefined) return;
          const reader = new JuteReader(answer);
          reader.int();
          const timeoutMs = reader.int();
          const granted: Session = { timeoutMs, id: reader.long(), password: reader.buffer() };
          clearTimeout(timer);
          // A session that is over is answered with a time-out of 0.
          if (timeoutMs <= 0) {
            socket.removeAllListeners("close").destroy();
            resolve("expired");
            return;
          }
          const seen = granted.id === session.id ? lastZxid : 0n;
          const connection = new Connection(socket, splitter, granted, seen, events);
          resolve(connection);
          for (const frame of more) connection.#onFrame(frame);
        } catch (error) {
          fail(error instanceof Error ? error.message : String(error), error);
        }
      });
    });
  }

  get pending(): number {
    return this.#pending.length;
  }

  run<Result>(operation: Operation<Result>): Promise<Result> {
    if (this.#closed)
      return Promise.reject(unavailable(`cannot ${operation.verb} ${operation.path}: the connection is closed`));
    const xid = this.#nextXid;
    const writer = new JuteWriter().int(xid).int(operation.code);
    operation.write(writer);
    // The server would end the connection, and with it all that is under way.
    if (writer.size > MAX_REQUEST_BYTES) return Promise.reject(tooLarge(operation.verb, operation.path, writer.size));
    this.#nextXid++;
    return new Promise<Result>((resolve, reject) => {
      this.#pending.push({ xid, operation, resolve: (result) => resolve(result as Result), reject });
      this.#send(writer);
    });
  }

  /** Credentials for all that follows on this connection. */
  authenticate(scheme: string, credentials: string): void {
    this.#send(new JuteWriter().int(AUTH_XID).int(opcode.auth).int(0).text(scheme).text(credentials));
  }

  /** Ends the session: its ephemeral nodes go at once. */
  async closeSession(): Promise<void> {
    const close: Operation<undefined> = {
      code: opcode.closeSession,
      verb: "close",
      path: "the session",
      write: () => undefined,
      read: () => undefined,
    };
    // The server may close the connection before its answer is read.
    await this.run(close).catch(() => undefined);
    this.destroy(unavailable("the session was closed"));
  }

  destroy(reason: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#socket.destroy();
    for (const { operation, reject } of this.#pending.splice(0)) {
      reject(
        unavailable(`the connection was lost before ZooKeeper answered to ${operation.verb} ${operation.path}`, reason),
      );
    }
    this.#events.onClosed(reason);
  }

  #send(writer: JuteWriter): void {
    this.#sentAt = performance.now();
    this.#socket.write(writer.frame());
  }

  #checkLife(): void {
    const now = performance.now();
    const { timeoutMs } = this.session;
    if (now - this.#heardAt > (timeoutMs * 2) / 3) {
      this.destroy(unavailable(`ZooKeeper was silent for ${Math.round(now - this.#heardAt)} ms`));
    } else if (now - this.#sentAt > timeoutMs / 3) {
      this.#send(new JuteWriter().int(PING_XID).int(opcode.ping));
    }
  }

  #onData(chunk: Buffer): void {
    this.#heardAt = performance.now();
    try {
      for (const frame of this.#splitter.push(chunk)) this.#onFrame(frame);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #onFrame(frame: Buffer): void {
    const reader = new JuteReader(frame);
    const xid = reader.int();
    const zxid = reader.long();
    const error = reader.int();
    if (zxid > this.lastZxid) this.lastZxid = zxid;
    if (xid === PING_XID) return;
    if (xid === WATCH_EVENT_XID) {
      const type = eventTypes[reader.int()];
      reader.int();
      if (type !== undefined) this.#events.onEvent(type, reader.text());
      return;
    }
    if (xid === AUTH_XID) {
      if (error !== 0) this.destroy(refused(error, "authenticate", ""));
      return;
    }
    const pending = this.#pending.shift();
    if (pending?.xid !== xid)
      throw unavailable(`ZooKeeper answered ${xid} where ${pending?.xid ?? "nothing"} was asked`);
    if (error !== 0) {
      pending.reject(refused(error, pending.operation.verb, pending.operation.path));
      return;
    }
    try {
      pending.resolve(pending.operation.read(reader));
    } catch (caught) {
      const unreadable = caught instanceof Error ? caught : new Error(String(caught));
      pending.reject(unreadable);
      throw unreadable;
    }
  }
}

function handshake({ sessionTimeoutMs, session, lastZxid }: ConnectionOptions): Buffer {
  const writer = new JuteWriter();
  writer.int(0).long(lastZxid).int(sessionTimeoutMs).long(session.id).buffer(session.password).bool(false);
  return writer.frame();
}
