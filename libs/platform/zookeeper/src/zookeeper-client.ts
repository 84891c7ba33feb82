import type { ConnectionOptions as TlsOptions } from "node:tls";
import type { Logger } from "@fairlead/logging";
import { ServerRounds, Turns } from "@fairlead/reconnect";
import { parseConnectString, type ServerAddress } from "./connect-string.ts";
import { Connection, type WatchEventType } from "./connection.ts";
import { listOneByOne, listTogether, type ManyLists } from "./many-lists.ts";
import type { TreeShape } from "./one-shot-tree.ts";
import * as operations from "./operations.ts";
import type { NodeStat, Operation } from "./operations.ts";
import { noSession, type Session } from "./session.ts";
import { WatchedPaths } from "./watched-paths.ts";
import { isRefusal, unavailable } from "./zookeeper-error.ts";

export interface ZooKeeperOptions {
  /** `zk1:2181,zk2:2181/path`; paths given to the client are below it. */
  readonly servers: string;
  readonly logger: Logger;
  /** How long a session outlives its connection. The server may grant another time. @default 30000 */
  readonly sessionTimeoutMs?: number;
  /** For one connection with its handshake. @default 5000 */
  readonly connectTimeoutMs?: number;
  /** Answers under way at a time; more wait. @default 1000 */
  readonly maxPending?: number;
  /** `user:password`, for nodes that only who made them may change. @default none */
  readonly digest?: string | undefined;
  /** @default plain TCP */
  readonly tls?: TlsOptions | undefined;
  /** Whether a watch may be recursive; without, as with a server before 3.6, each node that matters has watches of its own. @default true */
  readonly recursiveWatches?: boolean;
}

/** `connected` again after `suspended` with a new session: ephemeral nodes of before are gone or will be. */
export type ZooKeeperState = "connecting" | "connected" | "suspended" | "closed";

export interface ZooKeeperEvents {
  /**
   * Connected, the first time or again. Changes that came while it was not are not told: read everything again.
   *
   * @param newSession the ephemeral nodes of this client are to be made again
   */
  onConnected(newSession: boolean): void;
  /** The connection is lost. What is known may be old; the client connects again by itself. */
  onSuspended(): void;
  /** Something changed at a watched path or below it. */
  onChange(type: WatchEventType, path: string): void;
}

/** Of the longest first wait between attempts. */
const firstBackOffMs = 50;

/**
 * A ZooKeeper session that is kept up: over lost connections with the same session while it lasts, then with a new one. Operations fail
 * at once while there is no connection: whoever made one reads again when connected.
 */
export class ZooKeeperClient {
  readonly #options: Required<Omit<ZooKeeperOptions, "digest" | "tls">> & Pick<ZooKeeperOptions, "digest" | "tls">;
  readonly #events: ZooKeeperEvents;
  readonly #chroot: string;
  readonly #rounds: ServerRounds<ServerAddress>;
  readonly #watched: WatchedPaths;
  readonly #turns: Turns;
  readonly #ended = new AbortController();
  #connection: Connection | undefined;
  #state: ZooKeeperState = "connecting";
  #session: Session = noSession;
  #lastZxid = 0n;
  #lostAt = 0;
  #running: Promise<void> | undefined;

  /** @throws FairleadError FL_ZOOKEEPER_ADDRESS_INVALID */
  constructor(options: ZooKeeperOptions, events: ZooKeeperEvents) {
    const { servers, chroot } = parseConnectString(options.servers);
    this.#options = {
      sessionTimeoutMs: 30_000,
      connectTimeoutMs: 5_000,
      maxPending: 1_000,
      recursiveWatches: true,
      ...options,
    };
    this.#events = events;
    const reads = {
      children: (path: string) => orNothing(this.#run(operations.getChildren(this.#full(path), true))),
      data: (path: string) => orNothing(this.#run(operations.getData(this.#full(path), true))),
      exists: (path: string) => orNothing(this.#run(operations.stat(this.#full(path), true))),
    };
    this.#watched = new WatchedPaths({
      recursive: this.#options.recursiveWatches,
      reads,
      onChange: (type, path) => events.onChange(type, path),
      logger: options.logger,
    });
    this.#chroot = chroot;
    this.#rounds = new ServerRounds(servers, { backOff: { baseMs: firstBackOffMs } });
    this.#turns = new Turns(this.#options.maxPending);
  }

  get state(): ZooKeeperState {
    return this.#state;
  }

  /** Of the session; changes with it. 0 without one. */
  get sessionId(): bigint {
    return this.#session.id;
  }

  /** Begins to connect; `onConnected` tells when it is done. */
  start(): void {
    this.#running ??= this.#connect();
  }

  /** Ends the session: its ephemeral nodes go at once. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#ended.abort();
    await this.#connection?.closeSession();
    await this.#running;
    this.#turns.callAll();
  }

  /** @throws FairleadError FL_ZOOKEEPER_REFUSED (node-exists, no-node: of its parent) or FL_ZOOKEEPER_UNAVAILABLE, as all below */
  async create(path: string, data: Uint8Array, { ephemeral }: { readonly ephemeral: boolean }): Promise<void> {
    await this.#run(
      operations.create(this.#full(path), data, ephemeral, this.#options.digest === undefined ? "anyone" : "creator"),
    );
  }

  /** Makes a node that stays, and all above it that lack; one that is there is left as it is. */
  async ensure(path: string): Promise<void> {
    try {
      await this.create(path, Buffer.alloc(0), { ephemeral: false });
    } catch (error) {
      if (isRefusal(error, "node-exists")) return;
      if (!isRefusal(error, "no-node") || path.lastIndexOf("/") <= 0) throw error;
      await this.ensure(path.slice(0, path.lastIndexOf("/")));
      await this.ensure(path);
    }
  }

  async delete(path: string): Promise<void> {
    await this.#run(operations.remove(this.#full(path)));
  }

  /** @returns undefined when there is no node */
  async stat(path: string): Promise<NodeStat | undefined> {
    return await orNothing(this.#run(operations.stat(this.#full(path))));
  }

  /** @returns undefined when there is no node */
  async read(path: string): Promise<{ readonly data: Buffer; readonly stat: NodeStat } | undefined> {
    return await orNothing(this.#run(operations.getData(this.#full(path))));
  }

  /** @param version of the node as it was read: refused with bad-version when it is another one now. @default any */
  async write(path: string, data: Uint8Array, version?: number): Promise<void> {
    await this.#run(operations.setData(this.#full(path), data, version));
  }

  /** Names, not paths, in no order. @returns undefined when there is no node */
  async children(path: string): Promise<string[] | undefined> {
    return await orNothing(this.#run(operations.getChildren(this.#full(path))));
  }

  /**
   * The children of many nodes as `children` has them, by path. A server with recursive watches is asked for many at a time, which costs it and
   * this client far less; it has to be watched first, as only that tells which server it is. One that is refused is an error in its place.
   */
  async childrenOfAll(paths: readonly string[]): Promise<ManyLists> {
    // A server that has no recursive watches has no such requests either, and ends the connection of who sends one.
    if (!this.#watched.areRecursive) return await listOneByOne(paths, (path) => this.children(path));
    return await listTogether(paths, (some) =>
      this.#run(operations.getManyChildren(some.map((path) => this.#full(path)))),
    );
  }

  /**
   * Tells of all changes at the path and below it from now on. The node need not be there. A server before 3.6 has no such watches: there it
   * tells of `shape` alone, and has to be called again after each `onConnected`.
   */
  async watch(path: string, shape: TreeShape): Promise<void> {
    await this.#watched.watch(path, shape, (each) => this.#run(operations.addRecursiveWatch(this.#full(each))));
  }

  #onEvent(type: WatchEventType, path: string): void {
    const connection = this.#connection;
    this.#watched.onEvent(type, path)?.catch((error: unknown) => {
      // With the connection all is read again; where it stays, a watch would be lost: so that it is read again, too, it goes.
      connection?.destroy(unavailable(`the watch of ${path} could not be set again`, error));
    });
  }

  #full(path: string): string {
    return path === "/" && this.#chroot !== "" ? this.#chroot : this.#chroot + path;
  }

  async #run<Result>(operation: Operation<Result>): Promise<Result> {
    return await this.#turns.run(async () => {
      const connection = this.#connection;
      if (connection === undefined || this.#state !== "connected")
        throw unavailable(`cannot ${operation.verb} ${operation.path}: there is no connection to ZooKeeper`);
      return await connection.run(operation);
    });
  }

  /** Tries one server after the other until one takes the session, or the client is closed. */
  async #connect(): Promise<void> {
    await this.#rounds.take((server) => this.#try(server), this.#ended.signal);
  }

  async #try(server: ServerAddress): Promise<boolean> {
    this.#expireByOwnClock();
    const { sessionTimeoutMs, connectTimeoutMs, logger, tls, digest } = this.#options;
    const before = this.#session;
    let closedWith: Error | undefined;
    let connection: Connection | undefined;
    try {
      const opened = await Connection.open(
        { server, tls, sessionTimeoutMs, connectTimeoutMs, session: before, lastZxid: this.#lastZxid },
        {
          onEvent: (type, path) => this.#onEvent(type, path.slice(this.#chroot.length) || "/"),
          onClosed: (reason) => {
            closedWith = reason;
            if (connection !== undefined) this.#lost(connection, reason);
          },
        },
      );
      if (opened === "expired") {
        logger.warn({ server: `${server.host}:${server.port}` }, "the ZooKeeper session has expired; a new one begins");
        this.#forgetSession();
        return false;
      }
      connection = opened;
      if (digest !== undefined) connection.authenticate("digest", digest);
      await this.#watched.setAgain((path) => opened.run(operations.addRecursiveWatch(this.#full(path))));
    } catch (error) {
      logger.debug({ server: `${server.host}:${server.port}`, reason: String(error) }, "no connection to ZooKeeper");
      connection?.destroy(unavailable("it could not be used"));
      return false;
    }
    if (closedWith !== undefined || this.#ended.signal.aborted) {
      if (this.#ended.signal.aborted) await connection.closeSession();
      return this.#ended.signal.aborted;
    }
    this.#session = connection.session;
    this.#connection = connection;
    this.#state = "connected";
    this.#running = undefined;
    this.#events.onConnected(connection.session.id !== before.id);
    return true;
  }

  #lost(connection: Connection, reason: Error): void {
    if (connection !== this.#connection) return;
    this.#lastZxid = connection.lastZxid;
    this.#connection = undefined;
    this.#lostAt = performance.now();
    if (this.#state === "closed") return;
    this.#state = "suspended";
    this.#options.logger.warn({ reason: reason.message }, "the connection to ZooKeeper is lost");
    this.#events.onSuspended();
    this.#running = this.#connect();
  }

  /**
   * A session that nobody has heard of for longer than it lasts is over, also where no server can be asked: else a client that was away for
   * long would believe that its nodes are still there.
   */
  #expireByOwnClock(): void {
    if (this.#session.id === 0n || performance.now() - this.#lostAt < (this.#session.timeoutMs * 4) / 3) return;
    this.#forgetSession();
  }

  /** A new session may begin at a server that has lost its data: it would refuse a client that has seen more changes than it has. */
  #forgetSession(): void {
    this.#session = noSession;
    this.#lastZxid = 0n;
  }
}

async function orNothing<Result>(running: Promise<Result>): Promise<Result | undefined> {
  try {
    return await running;
  } catch (error) {
    if (isRefusal(error, "no-node")) return undefined;
    throw error;
  }
}
