import type { HeaderMap } from "./header-map.ts";
import type { RequestHead, ResponseHead } from "./message.ts";
import type { ResetReason } from "./reset-reason.ts";

/**
 * The outgoing half of a stream, and its control.
 *
 * Order: `sendHead`, any number of `sendData`, the last of them (or the head, or `sendTrailers`) with the end. What is sent in one
 * tick goes out in one write. After the end or a reset, calls do nothing.
 */
export interface StreamSender<Head> {
  /** @param head read at once, not kept */
  sendHead(head: Head, endStream: boolean): void;
  /**
   * @param chunk must not be changed afterwards: it is sent without a copy
   * @param unshared nobody else holds the chunk: its memory may be used again when it is out. @default false
   */
  sendData(chunk: Buffer, endStream: boolean, unshared?: boolean): void;
  /** Of a response, before its head, to a client that waits for it with the body of its request; else nothing. */
  sendContinue?(): void;
  /** Ends the message. A protocol that has no trailers sends only the end. */
  sendTrailers(trailers: HeaderMap): void;
  /**
   * Of a request with an upgrade, from its `onHead`: it goes on after its head, whose `endStream` does not count, and after a response that
   * agrees each half ends on its own.
   */
  openTunnel?(): void;
  /** Of a response: how long its end may wait for the client, in the place of the connection's time; 0 = any time. */
  setFlushTimeout?(ms: number): void;
  /** Gives the whole stream up, both directions. The receiver is not told. */
  reset(reason: ResetReason): void;
  /** Stops the incoming half: the peer is slowed down. What has been read already may still come. */
  pauseReading(): void;
  resumeReading(): void;
}

/** Gets the incoming half of a stream. `onReset` comes at most once, and nothing after it or after the end. */
export interface StreamReceiver<Head> {
  /** @param head owned by the receiver */
  onHead(head: Head, endStream: boolean): void;
  /** Of a response, before its head: the host wants the body of the request. */
  onContinue?(): void;
  /** @param chunk a slice of what came in; valid as long as it is held */
  onData(chunk: Buffer, endStream: boolean): void;
  onTrailers(trailers: HeaderMap): void;
  /** @param details what the transport said, for people */
  onReset(reason: ResetReason, details: string): void;
  /** The outgoing half holds more than the high watermark: send no more until `onWritable`. What is sent is kept all the same. */
  onWriteBlocked(): void;
  onWritable(): void;
}

export interface ConnectionInfo {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** The other end of the socket: a balancer's, where `remoteAddress` is who it speaks for. @default remoteAddress */
  readonly directRemoteAddress?: string;
  /** @default remotePort */
  readonly directRemotePort?: number;
  /** The local end is where the client meant to go before it was sent here. @default false */
  readonly localRestored?: boolean;
  /** In the order in which connections were made, both ways; from 1. */
  readonly id?: number;
  /** undefined = plain */
  readonly tls?: TlsInfo | undefined;
  /** What TLS said when it failed in mid-connection; "" while it has not. @default "" */
  readonly transportFailure?: (() => string) | undefined;
  /** What was learned of it before it was served, by namespace and key. @default nothing */
  readonly metadata?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
}

/** What a TLS handshake agreed on; "" for what it did not have. */
export interface TlsInfo {
  /** As the client asked for it. */
  readonly serverName: string;
  /** `TLSv1.3` */
  readonly version: string;
  /** OpenSSL's name. */
  readonly cipher: string;
  /** RFC 2253, of a certificate that the peer was asked for. */
  readonly peerSubject: string;
  /** Separated by commas. */
  readonly peerUriSans: string;
  readonly localUriSans: string;
  /** Separated by commas. */
  readonly peerDnsSans: string;
  /** DER, that of the peer first; empty when it had none. */
  readonly peerChain: readonly Buffer[];
}

/** A client's connection to us. */
export interface ServerConnection {
  /** What the client speaks: a name in the registry of stream factories. @default "http1" */
  readonly clientProtocol?: string;
  readonly info: ConnectionInfo;
  readonly activeStreams: number;
  /** The current stream is the last one. An idle connection stays until its next request, so that none is lost on the way. */
  drain(): void;
  /** One that has no request now closes when it has none for so long; not later than it would have. */
  limitIdle?(maxMs: number): void;
  /** Ends the connection now, idle or not; running streams are reset. */
  destroy(): void;
}

export interface ServerConnectionEvents {
  /** A request begins. @returns who gets it */
  onStream(sender: StreamSender<ResponseHead>, connection: ServerConnection): StreamReceiver<RequestHead>;
  /** A request was answered by the connection itself, with a status, as its head is too large or asks for what is not served. */
  onRequestRefused?(status: number, connection: ServerConnection): void;
  /** The peer broke the protocol; it has been answered where that was possible. Codec errors carry `status` and `details`. */
  onProtocolError(error: Error, connection: ServerConnection): void;
  /** @param why of an end that the connection itself decided: for statistics */
  onClosed(connection: ServerConnection, why: "idle timeout" | "header timeout" | "closed"): void;
}

/** Our connection to a host. */
export interface ClientConnection {
  readonly info: ConnectionInfo;
  readonly activeStreams: number;
  /** How many streams may run at the same time. HTTP/1: 1. */
  readonly maxConcurrentStreams: number;
  /** Streams opened so far. More than 1 says that the connection had been idle: the peer may have closed it meanwhile. */
  readonly streamsOpened: number;
  /** How long the peer keeps the connection when idle, in milliseconds; undefined when it did not say. */
  readonly peerIdleTimeoutMs: number | undefined;
  /** Only while `activeStreams < maxConcurrentStreams` and not closed. */
  openStream(receiver: StreamReceiver<ResponseHead>): StreamSender<RequestHead>;
  /** No more streams; closes when the running ones are done. */
  drain(): void;
  /** Ends the connection now; running streams are reset. */
  destroy(): void;
}

export interface ClientConnectionEvents {
  /** The host says that it is about to go, and has no wish for new requests on any connection; or that it is there again. */
  onHostLeaving?(leaving: boolean, connection: ClientConnection): void;
  /** A stream is done and another one may be opened. */
  onStreamDone(connection: ClientConnection): void;
  /** Comes once, after the resets of running streams. */
  onClosed(connection: ClientConnection): void;
}
