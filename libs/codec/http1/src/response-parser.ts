import { type BodySink, BodyReader } from "./body-reader.ts";
import { HeadCollector } from "./head-collector.ts";
import { dropHeader, HeaderBlock } from "./header-block.ts";
import { Http1Error } from "./http1-error.ts";
import { type BodyFraming, CHUNKED, type Http1ResponseHead, UNTIL_CLOSE } from "./message-head.ts";
import { isFieldByte } from "./octets.ts";
import { defaultParserLimits, type ParserLimits } from "./parser-limits.ts";

export interface Http1ResponseSink extends BodySink {
  onHead(head: Http1ResponseHead): void;
  /** Of a status below 200, before the response. */
  onInterim?(status: number): void;
}

/** A server may send any number of 1xx before its response; more than this is an attack. */
const MAX_INTERIM_RESPONSES = 16;

/** Bytes of a server's connection to responses. */
export class Http1ResponseParser {
  readonly #sink: Http1ResponseSink;
  readonly #limits: ParserLimits;
  readonly #collector: HeadCollector;
  readonly #body: BodyReader;
  #headRequest = false;
  #upgrade: string | undefined;
  #interim = 0;

  constructor(sink: Http1ResponseSink, limits: ParserLimits = defaultParserLimits) {
    this.#sink = sink;
    this.#limits = limits;
    this.#collector = new HeadCollector(limits.maxHeadBytes);
    this.#body = new BodyReader(sink, limits.trailers);
  }

  /**
   * Before each response: its framing depends on the method that it answers.
   *
   * @param upgrade what was asked for: once the server agrees, all that it sends is the body of that response; `connect` for CONNECT
   */
  expect(method: string, upgrade?: string): void {
    this.#headRequest = method === "HEAD";
    this.#upgrade = upgrade;
    this.#interim = 0;
  }

  /**
   * Reads up to the end of one response, never past it.
   *
   * @returns the offset after what was read
   * @throws Http1Error; the parser is of no use after it
   */
  execute(chunk: Buffer, start: number): number {
    let at = start;
    while (!this.#body.active) {
      if (at === chunk.length) return at;
      at = this.#collector.take(chunk, at);
      if (at === -1) return chunk.length;
      if (this.#readHead(this.#collector.text)) return at;
    }
    return at === chunk.length ? at : this.#body.read(chunk, at);
  }

  /**
   * The server ended the connection.
   *
   * @returns true when that was the end of the response, which `onEnd` has been told; false when it came too early
   */
  finish(): boolean {
    return this.#body.finish();
  }

  /** @returns true when the response has no body and is complete */
  #readHead(text: string): boolean {
    const lineEnd = text.indexOf("\r\n");
    const end = lineEnd === -1 ? text.length : lineEnd;
    const { status, minor } = readStatusLine(text, end);
    const block = new HeaderBlock();
    block.read(text, end + 2, this.#limits.maxHeaders);
    if (block.chunked && (block.contentLength !== -1 || minor === 0)) {
      throw new Http1Error("both Content-Length and Transfer-Encoding, or Transfer-Encoding in HTTP/1.0");
    }
    const tunnel =
      this.#upgrade !== undefined && (this.#upgrade === "connect" ? status >= 200 && status < 300 : status === 101);
    if (status < 200 && !tunnel) {
      // Where no upgrade was asked for, no server may switch protocols.
      if (status === 101) throw new Http1Error("101 Switching Protocols to a request that did not ask");
      if (++this.#interim > MAX_INTERIM_RESPONSES)
        throw new Http1Error(`more than ${MAX_INTERIM_RESPONSES} interim responses`);
      this.#sink.onInterim?.(status);
      return false;
    }
    const framing = tunnel ? UNTIL_CLOSE : this.#framingOf(status, block);
    if ((status === 204 || tunnel) && block.contentLength !== -1) dropHeader(block.headers, "content-length");
    this.#sink.onHead({
      status,
      headers: block.headers,
      framing,
      keepAlive: framing !== UNTIL_CLOSE && !block.connectionClose && (minor === 1 || block.connectionKeepAlive),
      tunnel,
      keepAliveTimeoutSeconds: readKeepAliveTimeout(block.keepAlive),
    });
    return this.#body.begin(framing);
  }

  #framingOf(status: number, block: HeaderBlock): BodyFraming {
    if (this.#headRequest || status === 204 || status === 304) return 0;
    if (block.chunked) return CHUNKED;
    return block.contentLength === -1 ? UNTIL_CLOSE : block.contentLength;
  }
}

/** `HTTP/1.x SP 3DIGIT [SP reason]` (RFC 9112 §4). */
function readStatusLine(text: string, end: number): { readonly status: number; readonly minor: number } {
  const minor = text.charCodeAt(7) - 48;
  if (!text.startsWith("HTTP/1.") || (minor !== 0 && minor !== 1) || text.charCodeAt(8) !== 32) {
    throw new Http1Error("a status line that is not HTTP/1.x");
  }
  let status = 0;
  for (let i = 9; i < 12; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) throw new Http1Error("a status that is not three digits");
    status = status * 10 + digit;
  }
  if (status < 100 || (end > 12 && text.charCodeAt(12) !== 32) || end < 12) {
    throw new Http1Error("a status that is not three digits");
  }
  for (let i = 12; i < end; i++) {
    if (!isFieldByte(text.charCodeAt(i))) throw new Http1Error("a reason phrase with a control byte");
  }
  return { status, minor };
}

function readKeepAliveTimeout(value: string | undefined): number {
  if (value === undefined) return -1;
  const match = /(?:^|[,\s])timeout=(\d{1,9})(?:$|[,\s])/i.exec(value);
  return match === null ? -1 : Number(match[1]);
}
