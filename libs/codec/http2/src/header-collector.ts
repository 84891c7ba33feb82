import type { HeaderSink } from "@fairlead/codec-hpack";
import type { Http2RequestHead, Http2ResponseHead } from "./message-head.ts";
import { isAuthority, isHeaderName, isHeaderValue, isMethod, isTarget, readDigits } from "./octets.ts";

const COLON = 58;
/** RFC 9113 §6.5.2: what a header counts besides its bytes. */
const HEADER_OVERHEAD_BYTES = 32;

export interface HeaderLimits {
  /** Of a decoded list, with 32 bytes for each header; also of a block before it is decoded. @default 61440 (60 KiB, as Envoy) */
  readonly maxHeadBytes: number;
  /** @default 100 (as Envoy) */
  readonly maxHeaders: number;
}

/**
 * The headers of one block, checked one by one as they are decoded. One for each connection: it is emptied for each block.
 *
 * The first broken rule is kept in `error`; the rest is still read, as the HPACK table must stay the same as the peer's.
 */
export class HeaderCollector implements HeaderSink {
  /** What makes the message malformed (RFC 9113 §8.1.1). */
  error: string | undefined;
  tooLarge = false;
  /** -1 without one. */
  contentLength = -1;
  readonly #limits: HeaderLimits;
  #headers: string[] = [];
  #neverIndexed: string[] | undefined;
  #bytes = 0;
  #count = 0;
  #cookieAt = -1;
  #method: string | undefined;
  #scheme: string | undefined;
  #authority: string | undefined;
  #path: string | undefined;
  #protocol: string | undefined;
  #status: string | undefined;
  #host: string | undefined;
  #expectContinue = false;

  constructor(limits: HeaderLimits) {
    this.#limits = limits;
  }

  begin(): void {
    this.error = undefined;
    this.tooLarge = false;
    this.contentLength = -1;
    this.#headers = [];
    this.#neverIndexed = undefined;
    this.#bytes = 0;
    this.#count = 0;
    this.#cookieAt = -1;
    this.#method = undefined;
    this.#scheme = undefined;
    this.#authority = undefined;
    this.#path = undefined;
    this.#protocol = undefined;
    this.#status = undefined;
    this.#host = undefined;
    this.#expectContinue = false;
  }

  onHeader(name: string, value: string, neverIndexed: boolean): void {
    this.#bytes += name.length + value.length + HEADER_OVERHEAD_BYTES;
    this.#count++;
    if (this.#bytes > this.#limits.maxHeadBytes || this.#count > this.#limits.maxHeaders) this.tooLarge = true;
    if (this.tooLarge || this.error !== undefined) return;
    if (name.charCodeAt(0) === COLON) this.#takePseudo(name, value);
    else if (!isHeaderName(name)) this.error = "a header name that is empty, or holds an upper-case or forbidden byte";
    else if (!isHeaderValue(value)) this.error = `the value of ${name} holds a control byte, or blanks around it`;
    else this.#take(name, value, neverIndexed);
  }

  /** The head of a request (RFC 9113 §8.3.1), or undefined with `error`. */
  takeRequest(connectProtocol: boolean): Http2RequestHead | undefined {
    const method = this.#method;
    if (method === undefined || !isMethod(method)) return this.#fail("no method, or one that is none");
    if (this.#status !== undefined) return this.#fail(":status in a request");
    if (method === "CONNECT" && this.#protocol === undefined) {
      if (this.#scheme !== undefined || this.#path !== undefined) return this.#fail("CONNECT with a scheme or path");
    } else if (!this.#checkTarget(method)) return undefined;
    if (this.#protocol !== undefined) {
      if (method !== "CONNECT" || !connectProtocol) return this.#fail(":protocol without having been allowed");
      if (!isMethod(this.#protocol) || this.#protocol.toLowerCase() === "connect")
        return this.#fail(":protocol is none");
    }
    const authority = this.#authority ?? this.#host;
    if (authority === undefined || !isAuthority(authority)) return this.#fail("no authority, or one that is no host");
    if (this.#host !== undefined && this.#host !== authority) return this.#fail(":authority and host are not the same");
    return {
      method,
      path: this.#path ?? "",
      authority,
      scheme: this.#scheme === "https" ? "https" : "http",
      protocol: this.#protocol,
      headers: this.#headers,
      neverIndexed: this.#neverIndexed,
      expectContinue: this.#expectContinue,
    };
  }

  /** The head of a response, an interim one too (RFC 9113 §8.3.2), or undefined with `error`. */
  takeResponse(): Http2ResponseHead | undefined {
    const status = this.#status;
    if (status === undefined || status.length !== 3 || !(readDigits(status) >= 100)) return this.#fail("no status");
    if (this.#hasRequestPseudo()) return this.#fail("a pseudo header of requests in a response");
    return { status: readDigits(status), headers: this.#headers, neverIndexed: this.#neverIndexed };
  }

  /** Trailers have no pseudo headers (RFC 9113 §8.1). */
  takeTrailers(): string[] | undefined {
    if (this.#status !== undefined || this.#hasRequestPseudo()) return this.#fail("a pseudo header in trailers");
    return this.#headers;
  }

  get neverIndexed(): readonly string[] | undefined {
    return this.#neverIndexed;
  }

  #fail(error: string): undefined {
    this.error ??= error;
    return undefined;
  }

  #refuse(error: string): false {
    this.error ??= error;
    return false;
  }

  #hasRequestPseudo(): boolean {
    return (this.#method ?? this.#scheme ?? this.#path ?? this.#authority ?? this.#protocol) !== undefined;
  }

  #checkTarget(method: string): boolean {
    const path = this.#path;
    if (path === undefined || !isTarget(path)) return this.#refuse("no path, or one with a forbidden byte");
    if (path.charCodeAt(0) !== 47 && !(path === "*" && method === "OPTIONS")) {
      return this.#refuse("a path that does not begin with /");
    }
    if (this.#scheme !== "http" && this.#scheme !== "https") return this.#refuse("no scheme http or https");
    return true;
  }

  #takePseudo(name: string, value: string): void {
    if (this.#headers.length > 0 || this.#host !== undefined || this.#expectContinue) {
      this.error = "a pseudo header after the others";
      return;
    }
    let before: string | undefined;
    switch (name) {
      case ":method":
        before = this.#method;
        this.#method = value;
        break;
      case ":scheme":
        before = this.#scheme;
        this.#scheme = value;
        break;
      case ":authority":
        before = this.#authority;
        this.#authority = value;
        break;
      case ":path":
        before = this.#path;
        this.#path = value;
        break;
      case ":protocol":
        before = this.#protocol;
        this.#protocol = value;
        break;
      case ":status":
        before = this.#status;
        this.#status = value;
        break;
      default:
        this.error = "an unknown pseudo header";
    }
    if (before !== undefined) this.error = `${name} twice`;
  }

  #take(name: string, value: string, neverIndexed: boolean): void {
    switch (name) {
      // RFC 9113 §8.2.2: what says something about an HTTP/1.1 connection.
      case "connection":
      case "proxy-connection":
      case "keep-alive":
      case "transfer-encoding":
      case "upgrade":
        this.error = `${name}, which HTTP/2 does not have`;
        return;
      case "te":
        if (value.toLowerCase() !== "trailers") this.error = "te other than trailers";
        break;
      case "host":
        if (this.#host !== undefined) this.error = "host twice";
        this.#host = value;
        return;
      case "expect":
        if (value.toLowerCase() === "100-continue") this.#expectContinue = true;
        else this.error = "an expectation other than 100-continue";
        return;
      case "content-length":
        if (this.contentLength !== -1) this.error = "content-length twice";
        this.contentLength = readDigits(value);
        if (this.contentLength === -1) this.error = "a content-length that is no number";
        break;
      case "cookie":
        if (this.#cookieAt !== -1) {
          // RFC 9113 §8.2.3: where it goes on may be no HTTP/2.
          this.#headers[this.#cookieAt] += `; ${value}`;
          return;
        }
        this.#cookieAt = this.#headers.length + 1;
        break;
      default:
    }
    this.#headers.push(name, value);
    if (neverIndexed) (this.#neverIndexed ??= []).push(name);
  }
}
