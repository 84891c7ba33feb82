import type { MirrorPolicy } from "@fairlead/proxy-router";
import { copyOfHead, type HeaderMap, type RequestHead } from "@fairlead/proxy-stream";
import type { Cluster, ClusterManager } from "@fairlead/proxy-upstream";
import { ReplayBuffer } from "./replay-buffer.ts";
import { UpstreamRequest, type UpstreamRequestOwner } from "./upstream-request.ts";

/** Bytes of a body that are kept for a mirror that is not connected yet, or slow; beyond them the copy is given up. */
const MIRROR_BYTES = 1024 * 1024;
/** A mirror that does not answer must not be held for ever. */
const MIRROR_TIMEOUT_MS = 15_000;

/**
 * A copy of a request to another cluster, whose response is dropped. It never slows the request itself down: what the mirror cannot
 * take is given up.
 */
export class MirrorRequest implements UpstreamRequestOwner {
  readonly #cluster: Cluster;
  readonly #clientProtocol: string;
  readonly #head: RequestHead;
  readonly #body = new ReplayBuffer(MIRROR_BYTES);
  readonly #timeout: NodeJS.Timeout;
  #attempt: UpstreamRequest | undefined;
  #blocked = false;
  #requestEnded: boolean;
  #over = false;

  private constructor(cluster: Cluster, head: RequestHead, endStream: boolean, timeoutMs: number, protocol: string) {
    this.#clientProtocol = protocol;
    this.#cluster = cluster;
    this.#head = head;
    this.#requestEnded = endStream;
    this.#timeout = setTimeout(() => this.destroy(), timeoutMs);
    this.#timeout.unref();
  }

  /** @returns undefined when this request is not to be copied, or cannot be */
  static start(
    policy: MirrorPolicy,
    original: RequestHead,
    endStream: boolean,
    timeoutMs: number,
    clientProtocol: string,
    context: { readonly clusters: ClusterManager; readonly random: () => number },
  ): MirrorRequest | undefined {
    if (policy.fraction < 1 && context.random() >= policy.fraction) return undefined;
    const { clusterHeader } = policy;
    const name = clusterHeader === undefined ? policy.cluster : (original.headers.get(clusterHeader) ?? "");
    const cluster = context.clusters.get(name);
    if (cluster === undefined || !cluster.startRequest()) return undefined;
    const head = copyOfHead(original);
    if (policy.shadowSuffix) head.authority = withSuffix(head.authority);
    const mirror = new MirrorRequest(
      cluster,
      head,
      endStream,
      timeoutMs > 0 ? timeoutMs : MIRROR_TIMEOUT_MS,
      clientProtocol,
    );
    mirror.#begin();
    return mirror;
  }

  sendData(chunk: Buffer, endStream: boolean): void {
    if (this.#over) return;
    this.#requestEnded = endStream;
    const sender = this.#attempt?.sender;
    if (sender === undefined) {
      this.#body.add(chunk);
      if (this.#body.full) this.#abandon();
    } else if (this.#blocked) this.#abandon();
    else sender.sendData(chunk, endStream);
  }

  sendTrailers(_trailers: HeaderMap): void {
    this.sendData(Buffer.alloc(0), true);
  }

  /** The request was given up, or the mirror's time is over. */
  destroy(): void {
    if (this.#over) return;
    const attempt = this.#attempt;
    this.#end();
    if (attempt?.cancel() === true) this.#cluster.stats.upstream_rq_tx_reset++;
  }

  get requestEnded(): boolean {
    return this.#requestEnded;
  }

  onUpstreamReady(attempt: UpstreamRequest): void {
    const { sender } = attempt;
    if (sender === undefined || this.#over) return;
    const { chunks } = this.#body;
    sender.sendHead(this.#head, this.#requestEnded && chunks.length === 0);
    for (const [i, chunk] of chunks.entries()) sender.sendData(chunk, this.#requestEnded && i === chunks.length - 1);
    this.#body.drop();
  }

  onUpstreamHead(_attempt: UpstreamRequest, head: { readonly status: number }, endStream: boolean): void {
    this.#cluster.stats.countStatus(head.status);
    if (endStream) this.#end();
  }

  onUpstreamData(_attempt: UpstreamRequest, _chunk: Buffer, endStream: boolean): void {
    if (endStream) this.#end();
  }

  onUpstreamTrailers(): void {
    this.#end();
  }

  onUpstreamReset(): void {
    this.#end();
  }

  onUpstreamBlocked(blocked: boolean): void {
    this.#blocked = blocked;
  }

  #begin(): void {
    const host = this.#cluster.pickHost();
    if (host === undefined) {
      this.#end();
      return;
    }
    this.#attempt = new UpstreamRequest(this, host, false);
    this.#attempt.clientProtocol = this.#clientProtocol;
    this.#attempt.start();
  }

  #abandon(): void {
    this.#cluster.stats.retry_or_shadow_abandoned++;
    this.destroy();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timeout);
    this.#body.drop();
    this.#attempt = undefined;
    this.#cluster.endRequest();
  }
}

/** As Envoy names the host of a copy: so that the mirror can tell. The port stays at the end. */
function withSuffix(authority: string): string {
  const port = /:\d+$/.exec(authority)?.index ?? authority.length;
  return `${authority.slice(0, port)}-shadow${authority.slice(port)}`;
}
