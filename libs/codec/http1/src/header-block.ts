import { readHeaderName } from "./header-names.ts";
import { Http1Error } from "./http1-error.ts";
import { CR, isFieldByte, SPACE, TAB } from "./octets.ts";

/** What `Connection` may not take away: the message would not be the one that was checked, or lose who sent it (as Envoy). */
const PROTECTED: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
]);

/** The headers of one message: those that travel on, and what the others said about the connection. */
export class HeaderBlock {
  /** name, value, name, value … */
  headers: string[] = [];
  host: string | undefined;
  /** -1 without one. */
  contentLength = -1;
  chunked = false;
  connectionClose = false;
  connectionKeepAlive = false;
  keepAlive: string | undefined;
  expect: string | undefined;
  /** What the sender would rather speak; undefined when `connection` does not name it too. */
  upgrade: string | undefined;
  #connectionUpgrade = false;
  /** A set: a list of many would be searched for each header. */
  #nominated: Set<string> | undefined;

  /**
   * Reads the lines of `text` from `start` up to the empty line, which must be its end.
   *
   * @throws Http1Error for what RFC 9112 §5 forbids: folded lines, space before the colon, bare CR or LF, control bytes
   */
  read(text: string, start: number, maxHeaders: number): void {
    let at = start;
    let count = 0;
    while (at < text.length) {
      const lineEnd = text.indexOf("\r\n", at);
      const end = lineEnd === -1 ? text.length : lineEnd;
      if (++count > maxHeaders) {
        throw new Http1Error(`more than ${maxHeaders} headers`, { status: 431, details: "http1.too_many_headers" });
      }
      this.#readLine(text, at, end);
      at = end + 2;
    }
    if (this.#nominated !== undefined) this.#removeNominated(this.#nominated);
    if (!this.#connectionUpgrade || this.upgrade === "") this.upgrade = undefined;
  }

  #readLine(text: string, start: number, end: number): void {
    const colon = text.indexOf(":", start);
    if (colon === -1 || colon >= end) throw new Http1Error("a header line without a colon");
    const name = readHeaderName(text, start, colon);
    if (name === "") throw new Http1Error("a header name that is empty, folded or holds a byte that names may not");
    let from = colon + 1;
    let to = end;
    while (from < to && isBlank(text.charCodeAt(from))) from++;
    while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
    for (let i = from; i < to; i++) {
      if (!isFieldByte(text.charCodeAt(i))) {
        throw new Http1Error(
          `the value of ${name} holds ${text.charCodeAt(i) === CR ? "a bare CR" : "a control byte"}`,
        );
      }
    }
    this.#take(name, text.slice(from, to));
  }

  #take(name: string, value: string): void {
    switch (name) {
      case "host":
        if (this.host !== undefined) throw new Http1Error("two Host headers");
        this.host = value;
        return;
      case "content-length":
        if (this.contentLength !== -1) throw new Http1Error("two Content-Length headers");
        this.contentLength = readContentLength(value);
        break;
      case "transfer-encoding":
        if (this.chunked || value.toLowerCase() !== "chunked") {
          throw new Http1Error("a Transfer-Encoding other than chunked", {
            status: 501,
            details: "http1.invalid_transfer_encoding",
          });
        }
        this.chunked = true;
        return;
      case "connection":
        this.#readConnection(value);
        return;
      case "keep-alive":
        this.keepAlive = value;
        return;
      case "expect":
        this.expect = value;
        return;
      case "upgrade":
        this.upgrade = this.upgrade === undefined ? value : `${this.upgrade}, ${value}`;
        return;
      case "proxy-connection":
        return;
      case "te":
        // "trailers" is the only coding that a proxy may pass on (RFC 9110 §10.1.4).
        if (value.toLowerCase() !== "trailers") return;
        break;
      default:
    }
    this.headers.push(name, value);
  }

  #readConnection(value: string): void {
    if (value === "keep-alive") {
      this.connectionKeepAlive = true;
      return;
    }
    for (const part of value.split(",")) {
      const option = part.trim().toLowerCase();
      if (option === "close") this.connectionClose = true;
      else if (option === "keep-alive") this.connectionKeepAlive = true;
      else if (PROTECTED.has(option)) {
        throw new Http1Error(`Connection names ${option}`);
      } else if (option === "upgrade") this.#connectionUpgrade = true;
      else if (option !== "" && option !== "te") (this.#nominated ??= new Set()).add(option);
    }
  }

  #removeNominated(nominated: ReadonlySet<string>): void {
    const kept: string[] = [];
    for (let i = 0; i < this.headers.length; i += 2) {
      const name = this.headers[i] ?? "";
      if (!nominated.has(name)) kept.push(name, this.headers[i + 1] ?? "");
    }
    this.headers = kept;
  }
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** Digits only, and exact as a number: no sign, no list, no hexadecimal (RFC 9110 §8.6). */
function readContentLength(value: string): number {
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) throw new Http1Error("a Content-Length that is not a number");
    length = length * 10 + digit;
    if (length > Number.MAX_SAFE_INTEGER) throw new Http1Error("a Content-Length that is too large");
  }
  if (value === "") throw new Http1Error("an empty Content-Length");
  return length;
}

export function dropHeader(headers: string[], name: string): void {
  const at = headers.findIndex((field, i) => i % 2 === 0 && field === name);
  if (at !== -1) headers.splice(at, 2);
}
