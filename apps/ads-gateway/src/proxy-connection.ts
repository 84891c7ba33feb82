import { FairleadError } from "@fairlead/errors";
import type { ReplicaCommit, TouchedNames } from "@fairlead/snapshot";
import type {
  DiscoveryStream,
  PendingOfType,
  RequestOutcome,
  ResourceStatus,
  StreamRequest,
  TypeStatus,
} from "@fairlead/xds-stream";
import type { PeerIdentity } from "./authenticate.ts";
import type { ConnectionContext } from "./connection-context.ts";
import type { DiscoveryCall, DiscoveryMessage, ReceivedMessage } from "./discovery-call.ts";
import type { StreamEnd } from "./gateway-metrics.ts";
import { grpcStatusOf } from "./grpc-status.ts";
import type { PushLane } from "./push-lane.ts";
import { type ProxyFacts, proxyFacts } from "./proxy-facts.ts";
import { PushSpans } from "./push-spans.ts";
import { type Refusal, Refusals } from "./refusals.ts";
import { ResponseWriter } from "./response-writer.ts";
import { UnseenCommits } from "./unseen-commits.ts";

/** A push gives its place to the next one after this time, also if the proxy has not taken it all. */
const slowPushMs = 100;
const largeResponseBytes = 4 * 1024 * 1024;

/** What a connection is made of. */
export interface ConnectionParts {
  /** Unique in this gateway. */
  readonly id: string;
  readonly call: DiscoveryCall;
  readonly identity: PeerIdentity;
  readonly stream: DiscoveryStream;
}

/** One xDS stream of one proxy. */
export class ProxyConnection {
  readonly id: string;
  readonly peer: string;
  readonly connectedSinceMs = Date.now();
  readonly #call: DiscoveryCall;
  readonly #context: ConnectionContext;
  readonly #identity: PeerIdentity;
  readonly #stream: DiscoveryStream;
  readonly #writer: ResponseWriter;
  #facts: ProxyFacts | undefined;
  #spans: PushSpans | undefined;
  /** undefined as long as nothing was refused. */
  #refusals: Refusals | undefined;
  /** Before the first request: until it has to be there. Later: when the stream may have something to send by itself. */
  #deadline: NodeJS.Timeout | undefined;
  /** A push is to come. */
  #awaitsPush = false;
  /** What was committed since it is: looked at when something is to be sent, all at once. */
  #unseen: UnseenCommits | undefined;
  #closed = false;

  constructor({ id, call, identity, stream }: ConnectionParts, context: ConnectionContext) {
    this.id = id;
    this.peer = call.getPeer();
    this.#call = call;
    this.#identity = identity;
    this.#context = context;
    this.#stream = stream;
    this.#writer = new ResponseWriter(call, {
      timeoutMs: context.sendTimeoutMs,
      onDrain: () => this.flush(),
      onTimeout: () => this.#notReading(),
    });
    this.#deadline = setTimeout(() => this.#silent(), context.firstRequestTimeoutMs);
    call.on("data", (received) => this.#receive(received));
    call.on("end", () => this.#halfClosed());
    call.on("cancelled", () => this.#over());
    call.on("close", () => this.#over());
    call.on("error", () => this.#close("closed"));
  }

  /** undefined before the first request. */
  get facts(): ProxyFacts | undefined {
    return this.#facts;
  }

  get hasPending(): boolean {
    return this.#unseen !== undefined || this.#stream.hasPending;
  }

  /** What was not looked at yet counts, too: more than the truth for a moment, never less. */
  pending(): PendingOfType[] {
    const pending = this.#stream.pending();
    if (this.#unseen !== undefined) pending.push(...this.#unseen.pending((typeUrl) => this.#stream.wants(typeUrl)));
    return pending;
  }

  status(): TypeStatus[] {
    this.#lookAtUnseen();
    return this.#stream.status();
  }

  /** What the proxy holds, refuses and misses, one by one. */
  resources(): Iterable<ResourceStatus> {
    this.#lookAtUnseen();
    return this.#stream.resources();
  }

  /** What the proxy refuses, the newest last. */
  refusals(): readonly Refusal[] {
    return this.#refusals?.standing ?? [];
  }

  #receive(received: ReceivedMessage): void {
    if (this.#closed) return;
    try {
      if (received instanceof FairleadError) throw received;
      this.#request(received);
    } catch (caught) {
      this.end(FairleadError.from(caught), "refused");
    }
  }

  #request(message: DiscoveryMessage): void {
    const { replica, metrics } = this.#context;
    // Rules 1 and 2: the first request's node is the stream's; later ones may leave it out, and are not asked again.
    const facts = (this.#facts ??= this.#name(message));
    const view = replica.viewOf(facts.nodeId);
    this.#lookAtUnseen();
    const outcome = this.#stream.request(message.request, view, replica.revision, Date.now());
    metrics.requested(outcome, message.request.nonce !== "");
    if (outcome.kind === "nack") this.#refused(outcome, message.request);
    // An answer carries the newest state, so what is held back for more changes goes with it.
    if (this.#stream.owes) this.#stream.release();
    this.flush();
    this.#progress();
  }

  #name({ node }: DiscoveryMessage): ProxyFacts {
    const facts = proxyFacts(node, this.#identity);
    const { nodeId, app, userAgent } = facts;
    this.#facts = facts;
    this.#spans = new PushSpans({
      nodeId,
      onConverged: (milliseconds) => this.#context.metrics.converged(milliseconds),
    });
    this.#context.logger.info(
      { node: nodeId, app, userAgent, peer: this.peer, connection: this.id },
      "proxy connected",
    );
    this.#context.onNamed(this);
    return facts;
  }

  #refused(outcome: RequestOutcome, { nonce, errorDetail: reason = "" }: StreamRequest): void {
    const version = this.#stream.status().find(({ typeUrl }) => typeUrl === outcome.typeUrl)?.sentVersion ?? "";
    this.#refusals ??= new Refusals();
    const refusal = this.#refusals.add(outcome, { nonce, version, reason, atMs: Date.now() });
    this.#context.refusalLog.refused(this.#facts?.nodeId, refusal);
  }

  /** Notes a commit. It is pending from now on, and sent by `push`. @returns whether it concerns the proxy */
  announce(touched: TouchedNames, commit: ReplicaCommit): boolean {
    if (this.#closed || this.#facts === undefined) return false;
    const { revision, traceparent } = commit;
    if (this.#awaitsPush) {
      this.#unseen = UnseenCommits.with(this.#unseen, touched, commit);
      this.#spans?.merge(revision);
      this.#context.onProgress(this);
      return true;
    }
    const view = this.#context.replica.viewOf(this.#facts.nodeId);
    const types = this.#stream.announce(touched, { first: revision, last: revision }, view, Date.now());
    if (types === 0) return false;
    this.#awaitsPush = true;
    this.#spans?.begin({ revision, traceparent, types });
    this.#context.onProgress(this);
    return true;
  }

  /** To be called before anything is sent: what is sent is the newest state, so it has to be known what that changes. */
  #lookAtUnseen(): void {
    const unseen = this.#unseen;
    if (unseen === undefined || this.#facts === undefined) return;
    this.#unseen = undefined;
    this.#stream.announce(unseen.touched, unseen, this.#context.replica.viewOf(this.#facts.nodeId), Date.now());
  }

  /** Sends what was announced. Resolves when the proxy has taken it, or is slow. */
  async push(lane: PushLane): Promise<void> {
    if (this.#closed) return;
    this.#awaitsPush = false;
    this.#lookAtUnseen();
    if (lane === "endpoints") this.#stream.releaseEndpoints();
    else this.#stream.release();
    this.flush();
    this.#progress();
    await this.#writer.drainedWithin(slowPushMs);
  }

  /** Writes what may be written now. */
  flush(): void {
    if (this.#closed || this.#facts === undefined || this.#writer.clogged) return;
    const now = Date.now();
    const begin = performance.now();
    this.#lookAtUnseen();
    for (const response of this.#stream.take(this.#context.replica.viewOf(this.#facts.nodeId), now)) {
      const { typeUrl, count } = response;
      const bytes = response.bytes.byteLength;
      if (bytes > largeResponseBytes) {
        this.#context.logger.warn(
          { node: this.#facts.nodeId, typeUrl, bytes },
          "response is larger than gRPC clients take",
        );
      }
      this.#context.logger.debug(
        { node: this.#facts.nodeId, typeUrl, count, bytes, version: response.versionInfo },
        "pushed",
      );
      this.#writer.write(response.bytes);
      this.#context.metrics.pushed(response, performance.now() - begin);
    }
    this.#armDeadline(now);
  }

  #armDeadline(now: number): void {
    clearTimeout(this.#deadline);
    const deadline = this.#stream.deadline(now);
    this.#deadline = deadline === undefined ? undefined : setTimeout(() => this.flush(), deadline - now);
  }

  #progress(): void {
    if (this.#spans?.open === true || this.#refusals !== undefined) {
      const pending = this.pending();
      this.#spans?.settle(pending);
      this.#refusals?.settle(pending);
    }
    if (!this.#closed) this.#context.onProgress(this);
  }

  #halfClosed(): void {
    if (this.#closed) return;
    this.#call.end();
    this.#close("closed");
    this.#writer.finish();
  }

  /** Ends the stream with the status of the error. */
  end(error: FairleadError, reason: StreamEnd): void {
    if (this.#closed) return;
    const { code, details } = grpcStatusOf(error);
    if (reason === "refused") {
      this.#context.logger.warn({ err: error, node: this.#facts?.nodeId, peer: this.peer }, "stream refused");
    }
    this.#close(reason);
    this.#call.emit("error", { code, details });
    this.#writer.finish();
  }

  #silent(): void {
    const message = `no request came within ${this.#context.firstRequestTimeoutMs} ms`;
    this.end(new FairleadError("FL_XDS_NO_REQUEST", message), "refused");
  }

  #notReading(): void {
    const { cut, logger } = this.#context;
    logger.warn(
      { node: this.#facts?.nodeId, peer: this.peer, code: "FL_PROXY_NOT_READING" },
      "proxy does not read; disconnected",
    );
    this.#close("not_reading");
    cut(this.peer);
  }

  /** The transport has let go of the stream. */
  #over(): void {
    this.#writer.close();
    this.#close("closed");
  }

  /** Serves the stream no more. It may still have to go out of the transport. */
  #close(reason: StreamEnd): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#deadline);
    this.#spans?.endAll("the proxy disconnected");
    this.#context.metrics.ended(reason);
    this.#context.onClosed(this);
  }
}
