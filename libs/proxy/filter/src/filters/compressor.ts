import type { PoolContext } from "@fairlead/pool";
import type { HeaderMap, RequestHead, ResponseHead } from "@fairlead/proxy-stream";
import type { StreamFilter, StreamFilterCallbacks, StreamFilterFactory } from "../stream-filter.ts";
import type { StreamInfo } from "../stream-info.ts";
import type { BodyTransform } from "../transformed-body.ts";
import { chooseEncoding } from "./accept-encoding.ts";

/** What a body is compressed with. */
export interface CompressorLibrary {
  /** As `content-encoding` says it. */
  readonly encoding: string;
  /** @param pools what is used for one body after the other is taken by these, and not released */
  readonly create: (pools: PoolContext) => BodyTransform;
}

export interface CompressorSpec {
  /** Before the names of what is counted, with its dot. */
  readonly statPrefix: string;
  readonly library: CompressorLibrary;
  /** The share of responses, from 0 to 1, that may be compressed. @default 1 */
  readonly enabled: number;
  /** @default 30 */
  readonly minBytes: number;
  /** In lower case, without parameters. */
  readonly contentTypes: ReadonlySet<string>;
  /** Responses with an `etag` are left as they are; else a strong one is taken away, as the bytes are others. @default false */
  readonly leavesEtag: boolean;
  /** Hosts do not see that a client takes compressed responses: only this proxy compresses. @default false */
  readonly removesAcceptEncoding: boolean;
  /** Where several are as welcome to the client: this one, and not the one that is first in the chain. @default false */
  readonly chooseFirst: boolean;
}

/** What a route says. */
export class CompressorOverride {
  readonly disabled: boolean;
  readonly removesAcceptEncoding: boolean | undefined;

  constructor(disabled: boolean, removesAcceptEncoding: boolean | undefined) {
    this.disabled = disabled;
    this.removesAcceptEncoding = removesAcceptEncoding;
  }
}

/** RFC 9110 §15.4.5, §15.3.7: no body, or a part of one whose bytes were asked for. */
const untouchable = new Set([101, 204, 206, 304]);

/** The compressors of one stream: one of them gets the response. */
class Candidates {
  readonly compressors: CompressedResponse[] = [];
  accept: string | undefined;
  #chosen: CompressedResponse | undefined;
  #decided = false;

  /** @returns whether it is this one's turn */
  decide(head: ResponseHead, asking: CompressedResponse): boolean {
    if (!this.#decided) {
      this.#decided = true;
      const able = this.compressors.filter((it) => it.takes(head));
      const first = able.filter((it) => it.spec.chooseFirst);
      const order = [...first, ...able.filter((it) => !it.spec.chooseFirst)];
      const { encoding, reason } = chooseEncoding(
        this.accept,
        order.map((it) => it.spec.library.encoding),
      );
      this.#chosen = order.find((it) => it.spec.library.encoding === encoding);
      for (const it of able) it.countReason(reason, it === this.#chosen);
    }
    return this.#chosen === asking;
  }
}

const candidatesOf = new WeakMap<StreamInfo, Candidates>();

/** Compresses responses with one library; several of them in a chain choose by what the client likes best. */
export function compressorFilter(spec: CompressorSpec, name: string): StreamFilterFactory {
  return (callbacks) => {
    const own = callbacks.override(name)?.config;
    const override = own instanceof CompressorOverride ? own : undefined;
    if (override?.disabled === true || (spec.enabled < 1 && callbacks.random() >= spec.enabled)) return undefined;
    return new CompressedResponse(spec, callbacks, override?.removesAcceptEncoding ?? spec.removesAcceptEncoding);
  };
}

class CompressedResponse implements StreamFilter {
  readonly spec: CompressorSpec;
  readonly #callbacks: StreamFilterCallbacks;
  readonly #removesAcceptEncoding: boolean;
  #candidates: Candidates | undefined;
  /** Where this one compresses. */
  #stopCounting: (() => void) | undefined;

  constructor(spec: CompressorSpec, callbacks: StreamFilterCallbacks, removesAcceptEncoding: boolean) {
    this.spec = spec;
    this.#callbacks = callbacks;
    this.#removesAcceptEncoding = removesAcceptEncoding;
  }

  onRequestHead(head: RequestHead): "continue" {
    const { info } = this.#callbacks;
    const candidates = candidatesOf.get(info) ?? new Candidates();
    candidatesOf.set(info, candidates);
    this.#candidates = candidates;
    // The first in the chain still sees it.
    if (candidates.compressors.length === 0) candidates.accept = head.headers.getJoined("accept-encoding");
    candidates.compressors.push(this);
    if (this.#removesAcceptEncoding) head.headers.remove("accept-encoding");
    return "continue";
  }

  onResponseHead(head: ResponseHead, endStream: boolean): void {
    const { headers } = head;
    const compresses = !endStream && this.#candidates?.decide(head, this) === true;
    if (!compresses) this.#count("not_compressed");
    // Caches must know that there may be another form, also where this client has not got it.
    if (!endStream && this.takes(head)) addVary(headers);
    if (!compresses) return;
    this.#count("compressed");
    const etag = headers.get("etag");
    if (etag !== undefined && !/^[wW]\//.test(etag)) headers.remove("etag");
    headers.remove("content-length");
    headers.set("content-encoding", this.spec.library.encoding);
    const transform = this.spec.library.create(this.#callbacks.pools);
    const { stream } = transform;
    const count = (chunk: Buffer): void => this.#count("total_compressed_bytes", chunk.length);
    stream.on("data", count);
    this.#stopCounting = () => void stream.off("data", count);
    this.#callbacks.transformResponse(transform);
  }

  onResponseData(chunk: Buffer): void {
    if (this.#stopCounting !== undefined) this.#count("total_uncompressed_bytes", chunk.length);
  }

  onDestroy(): void {
    this.#stopCounting?.();
  }

  /** Whether the response is one to compress, if the client wants it. */
  takes({ status, headers }: ResponseHead): boolean {
    const { minBytes, contentTypes, leavesEtag } = this.spec;
    if (untouchable.has(status)) return false;
    const length = headers.get("content-length");
    if (length !== undefined && Number(length) < minBytes) return false;
    const type = headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
    if (type !== undefined && (type.startsWith("application/grpc") || !contentTypes.has(type))) return false;
    if (/\bno-transform\b/i.test(headers.getJoined("cache-control") ?? "")) return false;
    if (leavesEtag && headers.has("etag")) return false;
    return !headers.has("content-encoding") || headers.get("content-encoding") === "identity";
  }

  countReason(reason: string, chosen: boolean): void {
    if (reason === "missing") this.#count("no_accept_header");
    else if (reason !== "compressor_used") this.#count(`header_${reason}`);
    else this.#count(chosen ? "header_compressor_used" : "header_compressor_overshadowed");
  }

  #count(stat: string, by = 1): void {
    this.#callbacks.count(`${this.spec.statPrefix}${stat}`, by);
  }
}

function addVary(headers: HeaderMap): void {
  const vary = headers.getJoined("vary");
  if (vary === undefined) headers.add("vary", "Accept-Encoding");
  else if (!/(?:^|[,\s])(?:accept-encoding|\*)(?:$|[,\s])/i.test(vary)) headers.set("vary", `${vary}, Accept-Encoding`);
}
