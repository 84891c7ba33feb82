/** What can be done to a connection. */
export interface PeerTransport {
  /** `address:port`. */
  readonly peer: string;
  /** Tells the other end to open no more streams here (GOAWAY), and cuts what is left after the time. */
  goAway(graceMs: number): void;
  /** Cuts the connection now. */
  cut(): void;
}

/** Why a connection is closed by the gateway. */
export type PeerLeaving = "idle" | "age" | "drain" | "not_reading";

export interface PeerConnectionsOptions {
  readonly maxConnections: number;
  /** Connections without a stream; one more and the oldest of them is cut. */
  readonly maxWithoutStream: number;
  /** A connection without a stream for this long is closed. ms */
  readonly idleMs: number;
  /** A connection is closed at about this age, ±10 %, so that proxies spread over gateways. 0 = never. ms */
  readonly maxAgeMs: number;
  /** From GOAWAY until the connection is cut. ms */
  readonly graceMs: number;
  /** The connection was told to go away: its streams are to be ended, in order. */
  readonly onLeaving: (peer: string, why: PeerLeaving) => void;
  /** Monotonic, ms. @default performance.now */
  readonly now?: () => number;
  /** @default Math.random */
  readonly random?: () => number;
}

/** What is buffered for a peer that does not read is held no longer than this beyond its time-out. */
const notReadingGraceMs = 1000;

interface PeerConnection {
  readonly transport: PeerTransport;
  readonly retireAt: number;
  streams: number;
  idleSince: number;
  /** It was told to go away; cut at this time. */
  cutAt: number | undefined;
}

/**
 * The TCP connections of the gateway. One without a stream costs memory and does nothing, so those are bounded in number and
 * time; each is closed when it is old. There is one timer for all: the owner calls `sweep` about every second.
 */
export class PeerConnections {
  readonly #options: PeerConnectionsOptions;
  readonly #now: () => number;
  readonly #all = new Map<string, PeerConnection>();
  /** Without a stream, the longest first. */
  readonly #withoutStream = new Set<PeerConnection>();

  constructor(options: PeerConnectionsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.#all.size;
  }

  get withoutStream(): number {
    return this.#withoutStream.size;
  }

  has(peer: string): boolean {
    return this.#all.has(peer);
  }

  /** @returns whether there is room; when there is none the new connection is to be cut */
  accept(transport: PeerTransport): boolean {
    const { maxConnections, maxWithoutStream, maxAgeMs, random = Math.random } = this.#options;
    if (this.#withoutStream.size >= maxWithoutStream || this.#all.size >= maxConnections) this.#cutLongestIdle();
    if (this.#all.size >= maxConnections) return false;
    const now = this.#now();
    const retireAt = maxAgeMs === 0 ? Infinity : now + maxAgeMs * (0.9 + 0.2 * random());
    const connection: PeerConnection = { transport, retireAt, streams: 0, idleSince: now, cutAt: undefined };
    this.#all.set(transport.peer, connection);
    this.#withoutStream.add(connection);
    return true;
  }

  closed(peer: string): void {
    const connection = this.#all.get(peer);
    if (connection === undefined) return;
    this.#all.delete(peer);
    this.#withoutStream.delete(connection);
  }

  streamOpened(peer: string): void {
    const connection = this.#all.get(peer);
    if (connection === undefined) return;
    connection.streams++;
    this.#withoutStream.delete(connection);
  }

  streamEnded(peer: string): void {
    const connection = this.#all.get(peer);
    if (connection === undefined || --connection.streams > 0) return;
    connection.idleSince = this.#now();
    this.#withoutStream.add(connection);
  }

  /** One of its streams cannot be ended in an orderly way. Its other streams are, and then it is cut. */
  sendAway(peer: string): void {
    const connection = this.#all.get(peer);
    if (connection !== undefined && connection.cutAt === undefined) this.#leave(connection, "not_reading");
  }

  cutAll(): void {
    for (const connection of this.#all.values()) this.#cut(connection);
  }

  /** Closes what is idle or old, and cuts what did not go. */
  sweep(): void {
    const now = this.#now();
    for (const connection of this.#all.values()) {
      if (connection.cutAt !== undefined) {
        if (now >= connection.cutAt) this.#cut(connection);
      } else if (connection.streams === 0 && now >= connection.idleSince + this.#options.idleMs) {
        this.#leave(connection, "idle");
      } else if (now >= connection.retireAt) {
        this.#leave(connection, "age");
      }
    }
  }

  /** Closes all, one after the other: their proxies find other gateways, which do not get them all at once. */
  async drain(pause: (remaining: number) => Promise<void>): Promise<void> {
    let remaining = this.#all.size;
    for (const connection of this.#all.values()) {
      if (connection.cutAt === undefined) this.#leave(connection, "drain");
      remaining--;
      if (remaining > 0) await pause(remaining);
    }
  }

  #leave(connection: PeerConnection, why: PeerLeaving): void {
    const { onLeaving } = this.#options;
    const graceMs = why === "not_reading" ? Math.min(notReadingGraceMs, this.#options.graceMs) : this.#options.graceMs;
    connection.cutAt = this.#now() + graceMs;
    // In this order: a proxy whose stream ended opens the next one where it was not told to go away from.
    connection.transport.goAway(graceMs);
    onLeaving(connection.transport.peer, why);
  }

  #cutLongestIdle(): void {
    for (const connection of this.#withoutStream) {
      this.#cut(connection);
      return;
    }
  }

  #cut(connection: PeerConnection): void {
    this.closed(connection.transport.peer);
    connection.transport.cut();
  }
}
