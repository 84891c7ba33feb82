import type {
  ClientConnection,
  ConnectionInfo,
  HeaderMap,
  RequestHead,
  ResetReason,
  ResponseHead,
  StreamReceiver,
  StreamSender,
} from "@fairlead/proxy-stream";
import type { ConnectionPool, Host, PoolWaiter } from "@fairlead/proxy-upstream";

/** Who made the attempt. */
export interface UpstreamRequestOwner {
  /** There is a stream: send the request on it. */
  onUpstreamReady(attempt: UpstreamRequest): void;
  onUpstreamHead(attempt: UpstreamRequest, head: ResponseHead, endStream: boolean): void;
  /** The host wants the body. */
  onUpstreamContinue?(attempt: UpstreamRequest): void;
  onUpstreamData(attempt: UpstreamRequest, chunk: Buffer, endStream: boolean): void;
  onUpstreamTrailers(attempt: UpstreamRequest, trailers: HeaderMap): void;
  onUpstreamReset(attempt: UpstreamRequest, reason: ResetReason, details: string): void;
  onUpstreamBlocked(blocked: boolean): void;
}

/** One attempt to have a request answered by one host. */
export class UpstreamRequest implements PoolWaiter, StreamReceiver<ResponseHead> {
  readonly host: Host;
  readonly fresh: boolean;
  clientProtocol: string | undefined;
  serverName: string | undefined;
  /** The connection had served before: the host may have closed it when it was idle. */
  reused = false;
  sender: StreamSender<RequestHead> | undefined;
  connection: ConnectionInfo | undefined;
  readonly #owner: UpstreamRequestOwner;
  readonly #pool: Pick<ConnectionPool, "acquire" | "cancel">;
  #over = false;

  /** @param fresh true = on a new connection */
  constructor(
    owner: UpstreamRequestOwner,
    host: Host,
    fresh: boolean,
    pool: Pick<ConnectionPool, "acquire" | "cancel"> = host.pool,
  ) {
    this.#owner = owner;
    this.#pool = pool;
    this.host = host;
    this.fresh = fresh;
  }

  start(): void {
    this.host.activeRequests++;
    this.host.totalRequests++;
    this.#pool.acquire(this);
  }

  /** Gives it up: the host need not answer any more. @returns whether the host had been sent anything */
  cancel(): boolean {
    if (this.#over) return false;
    this.#finish();
    if (this.sender === undefined) {
      this.#pool.cancel(this);
      return false;
    }
    this.sender.reset("local reset");
    return true;
  }

  onConnection(connection: ClientConnection): void {
    this.reused = connection.streamsOpened > 0;
    this.connection = connection.info;
    this.sender = connection.openStream(this);
    this.#owner.onUpstreamReady(this);
  }

  onFailure(reason: ResetReason, details: string): void {
    this.onReset(reason, details);
  }

  onHead(head: ResponseHead, endStream: boolean): void {
    if (this.#over) return;
    if (endStream) this.#finish();
    const { host } = this;
    host.monitor?.onResponse(head.status, head.headers.get("grpc-status"));
    if (host.saysUnhealthy !== undefined && head.headers.has("x-envoy-immediate-health-check-fail"))
      host.saysUnhealthy();
    this.#owner.onUpstreamHead(this, head, endStream);
  }

  onContinue(): void {
    if (!this.#over) this.#owner.onUpstreamContinue?.(this);
  }

  onData(chunk: Buffer, endStream: boolean): void {
    if (this.#over) return;
    if (endStream) this.#finish();
    this.#owner.onUpstreamData(this, chunk, endStream);
  }

  onTrailers(trailers: HeaderMap): void {
    if (this.#over) return;
    this.#finish();
    this.#owner.onUpstreamTrailers(this, trailers);
  }

  onReset(reason: ResetReason, details: string): void {
    if (this.#over) return;
    this.#finish();
    this.host.monitor?.onReset(reason);
    this.#owner.onUpstreamReset(this, reason, details);
  }

  onWriteBlocked(): void {
    if (!this.#over) this.#owner.onUpstreamBlocked(true);
  }

  onWritable(): void {
    if (!this.#over) this.#owner.onUpstreamBlocked(false);
  }

  #finish(): void {
    this.#over = true;
    this.host.activeRequests--;
  }
}
