import { type BodySink, BodyReader } from "./body-reader.ts";
import { HeadCollector } from "./head-collector.ts";
import { dropHeader, HeaderBlock } from "./header-block.ts";
import { Http1Error } from "./http1-error.ts";
import { CHUNKED, type Http1RequestHead } from "./message-head.ts";
import { CR, LF } from "./octets.ts";
import { defaultParserLimits, type ParserLimits } from "./parser-limits.ts";
import { checkAuthority, readRequestLine } from "./request-line.ts";

/** Gets one message after the other: a head, any number of slices, an end. */
export interface Http1RequestSink extends BodySink {
  onHead(head: Http1RequestHead): void;
}

/** Bytes of a client's connection to requests. */
export class Http1RequestParser {
  readonly #sink: Http1RequestSink;
  readonly #limits: ParserLimits;
  readonly #collector: HeadCollector;
  readonly #body: BodyReader;
  /** How much of one CRLF before a request line was skipped (RFC 9112 §2.2). */
  #skipped = 0;

  constructor(sink: Http1RequestSink, limits: ParserLimits = defaultParserLimits) {
    this.#sink = sink;
    this.#limits = limits;
    this.#collector = new HeadCollector(limits.maxHeadBytes);
    this.#body = new BodyReader(sink, limits.trailers);
  }

  /** Whether a message has begun and not ended. */
  get midMessage(): boolean {
    return this.#body.active || this.#collector.started;
  }

  /**
   * Reads up to the end of one message, never past it: the rest is for the next call, when the response to this one is out.
   *
   * @returns the offset after what was read
   * @throws Http1Error; the parser is of no use after it
   */
  execute(chunk: Buffer, start: number): number {
    let at = start;
    if (!this.#body.active) {
      at = this.#skipEmptyLine(chunk, at);
      if (at === chunk.length) return at;
      at = this.#collector.take(chunk, at);
      if (at === -1) return chunk.length;
      this.#skipped = 0;
      if (this.#readHead(this.#collector.text)) return at;
    }
    return at === chunk.length ? at : this.#body.read(chunk, at);
  }

  #skipEmptyLine(chunk: Buffer, start: number): number {
    let at = start;
    if (this.#collector.started) return at;
    if (this.#skipped === 0 && chunk[at] === CR) {
      this.#skipped = 1;
      at++;
    }
    if (this.#skipped === 1 && at < chunk.length) {
      if (chunk[at] !== LF) throw new Http1Error("a bare CR before a request line");
      this.#skipped = 2;
      at++;
    }
    return at;
  }

  /** @returns true when the message has no body and is complete */
  #readHead(text: string): boolean {
    const lineEnd = text.indexOf("\r\n");
    const end = lineEnd === -1 ? text.length : lineEnd;
    const target = readRequestLine(text, end, this.#limits);
    const block = new HeaderBlock();
    block.read(text, end + 2, this.#limits.maxHeaders);
    const { http10 } = target;
    if (block.chunked && http10) throw new Http1Error("Transfer-Encoding in HTTP/1.0");
    const twoLengths = block.chunked && block.contentLength !== -1;
    if (twoLengths) {
      if (this.#limits.allowChunkedLength !== true) throw new Http1Error("both Content-Length and Transfer-Encoding");
      dropHeader(block.headers, "content-length");
    }
    const host = block.host ?? (http10 ? this.#limits.defaultHost : undefined);
    const authority = target.authority ?? host;
    if (authority === undefined || authority === "" || host === undefined) {
      throw new Http1Error("a request without a Host", { details: "missing_host_header" });
    }
    checkAuthority(authority);
    const expect = block.expect;
    if (expect !== undefined && expect.toLowerCase() !== "100-continue") {
      throw new Http1Error("an expectation other than 100-continue", {
        status: 417,
        details: "http1.expectation_failed",
      });
    }
    const framing = block.chunked ? CHUNKED : Math.max(0, block.contentLength);
    const connects = target.path === "";
    if (connects && framing !== 0) throw new Http1Error("CONNECT with a body");
    this.#sink.onHead({
      method: target.method,
      path: target.path,
      authority,
      headers: block.headers,
      framing,
      // Two proxies that do not agree on where such a request ends must not share what follows.
      keepAlive: !block.connectionClose && !twoLengths && !http10,
      expectContinue: expect !== undefined && framing !== 0 && !http10,
      upgrade: connects ? "connect" : framing === 0 && !http10 ? upgradeOf(block) : undefined,
      http10,
    });
    return this.#body.begin(framing);
  }
}

/** Nobody is to be taken for a CONNECT who is none. */
function upgradeOf({ upgrade }: HeaderBlock): string | undefined {
  const protocol = upgrade?.toLowerCase();
  return protocol === "connect" ? undefined : protocol;
}
