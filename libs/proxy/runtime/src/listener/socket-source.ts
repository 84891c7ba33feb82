/** What a listener asks for a socket by. */
export interface SocketRequest {
  /** Tells requests for port 0 apart. */
  readonly name: string;
  /** An IP address. */
  readonly address: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Threads of one process have a socket each. @default 0 */
  readonly worker?: number;
  /** Of how many. @default 1 */
  readonly workers?: number;
}

/** A bound socket that this thread may listen on, once. */
export interface HandedSocket {
  /** What it is bound to. */
  readonly port: number;
  /** As `net.Server.listen` takes it: a handle of this thread, or `{ fd }` of one that nobody else closes. */
  readonly handle: object;
  /** Accepts only from then on; callers wait in the socket's queue until it does. @default at once */
  readonly mayAccept?: Promise<void>;
}

/**
 * Where listening sockets come from, when the process does not bind them itself: from one that outlives it, so that callers wait in
 * the queue of a socket while the process that serves it is replaced.
 */
export interface SocketSource {
  /** Rejects with the system's error (EADDRINUSE, EACCES …). What was taken and not listened on yet is given again. */
  take(request: SocketRequest): Promise<HandedSocket>;
  /** The configuration has no listener there any more: nobody is to wait in its queue. */
  release(request: SocketRequest): void;
}
