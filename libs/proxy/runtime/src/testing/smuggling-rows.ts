/** One connection's bytes, and what must become of them. */
export interface HostileRow {
  readonly name: string;
  /** In latin1. Rows that are accepted are followed by `LAST`, which is served only where the end of the row was found. */
  readonly bytes: string;
  /** The proxy's own answer, after which it closes; undefined when the row is forwarded. */
  readonly refused?: number;
  /** The host's requests, exactly; none when it is refused. */
  readonly upstream?: string;
  /** Refused in the middle of its body: the host may have seen its beginning, and no end. */
  readonly midBody?: boolean;
}

/** What the proxy adds to a request, after the client's own headers. */
export const ADDED = "x-forwarded-proto: http\r\nx-envoy-expected-rq-timeout-ms: 15000\r\n";
export const LAST = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
export const LAST_UPSTREAM = `GET /last HTTP/1.1\r\nhost: a\r\n${ADDED}\r\n`;
/** What an attacker wants the host to take for a request of its own. */
const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

function get(lines: string, line = "GET / HTTP/1.1"): string {
  return `${line}\r\n${lines}\r\n`;
}

function post(lines: string, body = ""): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n${body}`;
}

function chunked(body: string): string {
  return post("Transfer-Encoding: chunked\r\n", body);
}

function refused(name: string, bytes: string, status = 400): HostileRow {
  return { name, bytes: bytes + HIDDEN, refused: status };
}

function midBody(name: string, body: string): HostileRow {
  return { name, bytes: chunked(body) + HIDDEN, refused: 400, midBody: true };
}

function upstream(line: string, lines: string, framing = "", body = ""): string {
  return `${line}\r\nhost: a\r\n${lines}${ADDED}${framing}\r\n${body}`;
}

function chunkedUpstream(body: string, lines = ""): string {
  return upstream("POST / HTTP/1.1", lines, "transfer-encoding: chunked\r\n", body);
}

const TE = "Transfer-Encoding";
const CL = "Content-Length";

const lengthRows: readonly HostileRow[] = [
  refused("CL.TE", post(`${CL}: 6\r\n${TE}: chunked\r\n`, "0\r\n\r\nG")),
  refused("TE.CL", post(`${TE}: chunked\r\n${CL}: 4\r\n`, `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`)),
  refused("CL.0 with TE", post(`${CL}: 0\r\n${TE}: chunked\r\n`, "0\r\n\r\n")),
  refused("two CL that differ", post(`${CL}: 0\r\n${CL}: 33\r\n`)),
  refused("two CL that agree", post(`${CL}: 0\r\n${CL}: 0\r\n`)),
  ...["0, 0", "0,33", "+0", "-1", "0x0", "1e1", "0.0", "", " ", "\t", "0;", "0 0", "０", "१", "18446744073709551616", "99999999999999999999", "NaN", "_0"].map((value) =>
    refused(`CL of ${JSON.stringify(value)}`, post(`${CL}: ${Buffer.from(value).toString("latin1")}\r\n`)),
  ),
  refused("CL with a space before its colon", post(`${CL} : 33\r\n`)),
  refused("CL with a tab before its colon", post(`${CL}\t: 33\r\n`)),
  refused("CL folded", post(`${CL}:\r\n 33\r\n`)),
  refused("CL in a folded line", post(`X: y\r\n ${CL}: 33\r\n`)),
  refused("CL behind a bare CR", post(`X: y\r${CL}: 33\r\n`)),
  refused("CL behind a bare LF", post(`X: y\n${CL}: 33\r\n`)),
  refused("CL behind LF CR", post(`X: y\n\r${CL}: 33\r\n`)),
  refused("CL behind a NUL", post(`X: y\0${CL}: 33\r\n`)),
  ...["\x00", "\x01", "\x0b", "\x0c", "\x1c", "\x7f", "\x80", "\xa0", "(", "/", "\\", '"', "[", "@", "{"].map((byte) =>
    refused(`CL with ${JSON.stringify(byte)} in its name`, post(`${CL}${byte}: 33\r\n`)),
  ),
]; // prettier-ignore

const codingRows: readonly HostileRow[] = [
  ...["gzip, chunked", "chunked, identity", "identity", "chunked, chunked", "xchunked", "chunkedx", "chunked;q=1", '"chunked"', "chunked,", ",chunked", "chun ked", "identity, chunked", "chunked\xa0", "", "x", "cow"].map((value) =>
    refused(`TE of ${JSON.stringify(value)}`, post(`${TE}: ${value}\r\n`, "0\r\n\r\n"), 501),
  ),
  ...["\x0bchunked", "\x0cchunked", "chunked\0", "\x00chunked", "chunked\x7f", "chunked\x1f", "\x08chunked"].map((value) =>
    refused(`TE of ${JSON.stringify(value)}`, post(`${TE}: ${value}\r\n`, "0\r\n\r\n")),
  ),
  refused("two TE", post(`${TE}: chunked\r\n${TE}: chunked\r\n`, "0\r\n\r\n"), 501),
  refused("two TE, the second of which is none", post(`${TE}: chunked\r\n${TE}: identity\r\n`, "0\r\n\r\n"), 501),
  refused("two TE, the first of which is none", post(`${TE}: identity\r\n${TE}: chunked\r\n`, "0\r\n\r\n"), 501),
  refused("TE with a space before its colon", post(`${TE} : chunked\r\n`, "0\r\n\r\n")),
  refused("TE with a tab before its colon", post(`${TE}\t: chunked\r\n`, "0\r\n\r\n")),
  refused("TE folded", post(`${TE}:\r\n chunked\r\n`, "0\r\n\r\n"), 501),
  refused("TE folded behind a value", post(`${TE}: x,\r\n chunked\r\n`, "0\r\n\r\n"), 501),
  refused("TE in a folded line", post(`X: y\r\n\t${TE}: chunked\r\n`, "0\r\n\r\n")),
  refused("TE behind a bare CR", post(`X: y\r${TE}: chunked\r\n`, "0\r\n\r\n")),
  refused("TE behind a bare LF", post(`X: y\n${TE}: chunked\r\n`, "0\r\n\r\n")),
  refused("TE in HTTP/1.0", get(`Host: a\r\n${TE}: chunked\r\n`, "POST / HTTP/1.0"), 426),
  {
    name: "TE in capitals is chunked",
    bytes: post("TRANSFER-ENCODING:CHUNKED \r\n", "2\r\nok\r\n0\r\n\r\n"),
    upstream: chunkedUpstream("2\r\nok\r\n0\r\n\r\n"),
  },
  {
    name: "TE with an underscore is a header like others",
    bytes: post(`Transfer_Encoding: x\r\n${CL}: 2\r\n`, "ok"),
    upstream: upstream("POST / HTTP/1.1", "transfer_encoding: x\r\ncontent-length: 2\r\n", "", "ok"),
  },
]; // prettier-ignore

const chunkRows: readonly HostileRow[] = [
  midBody("chunk size 0x1", "0x1\r\na\r\n0\r\n\r\n"),
  midBody("chunk size with a space behind", "1 \r\na\r\n0\r\n\r\n"),
  midBody("chunk size with a space before", " 1\r\na\r\n0\r\n\r\n"),
  midBody("chunk size with a tab behind", "1\t\r\na\r\n0\r\n\r\n"),
  midBody("chunk size with a sign", "+1\r\na\r\n0\r\n\r\n"),
  midBody("negative chunk size", "-1\r\na\r\n0\r\n\r\n"),
  midBody("chunk size with an underscore", "1_0\r\na\r\n0\r\n\r\n"),
  midBody("no chunk size", "\r\na\r\n0\r\n\r\n"),
  midBody("only an extension", ";a\r\na\r\n0\r\n\r\n"),
  midBody("chunk size of 2^32 in nine digits and more", "0000000100000001\r\na\r\n0\r\n\r\n"),
  midBody("chunk size of 2^64 + 1", "10000000000000001\r\na\r\n0\r\n\r\n"),
  midBody("chunk size line in LF", "1\na\r\n0\r\n\r\n"),
  midBody("chunk size line in CR", "1\ra\r\n0\r\n\r\n"),
  midBody("chunk size line in CR CR LF", "1\r\r\na\r\n0\r\n\r\n"),
  midBody("chunk data in LF", "1\r\na\n0\r\n\r\n"),
  midBody("chunk data in CR", "1\r\na\r0\r\n\r\n"),
  midBody("chunk without CRLF behind its data", "1\r\na0\r\n\r\n"),
  midBody("chunk longer than its size", "1\r\nab\r\n0\r\n\r\n"),
  midBody("chunk shorter than its size", "3\r\na\r\n0\r\n\r\n"),
  midBody("extension with a bare LF", "1;a\nb\r\na\r\n0\r\n\r\n"),
  midBody("extension with a bare CR", "1;a\rb\r\na\r\n0\r\n\r\n"),
  midBody("extension with a NUL", "1;a\0b\r\na\r\n0\r\n\r\n"),
  midBody("extension that hides a chunk behind LF", "2;\nxx\r\nok\r\n0\r\n\r\n"),
  midBody("extensions of more than 4 KiB", `${`1;${"e".repeat(1500)}\r\na\r\n`.repeat(3)}0\r\n\r\n`),
  midBody("last chunk in LF", "0\n\n"),
  midBody("end of the body in LF", "0\r\n\n"),
  midBody("end of the body in CR", "0\r\n\rX"),
  midBody("trailer without a colon", "0\r\nx\r\n\r\n"),
  midBody("trailer with a bare LF", "0\r\nx: y\n\r\n\r\n"),
  midBody("trailer folded", "0\r\nx: y\r\n z\r\n\r\n"),
  midBody("trailer with a space before its colon", "0\r\nx : y\r\n\r\n"),
  {
    name: "extensions are dropped, chunks and their sizes stay",
    bytes: chunked('2;a="b;c";d\r\nok\r\n0A;x\r\n0123456789\r\n000;y\r\n\r\n'),
    upstream: chunkedUpstream("2\r\nok\r\na\r\n0123456789\r\n0\r\n\r\n"),
  },
  {
    name: "trailers do not become headers or a request",
    bytes: chunked(`2\r\nok\r\n0\r\n${CL}: 33\r\n${TE}: chunked\r\nHost: b\r\n\r\n`),
    upstream: chunkedUpstream("2\r\nok\r\n0\r\n\r\n"),
  },
]; // prettier-ignore

const targetRows: readonly HostileRow[] = [
  refused("HTTP/0.9", "GET /\r\n\r\n", 426),
  refused("HTTP/1.0", get("Host: a\r\n", "GET / HTTP/1.0"), 426),
  refused("HTTP/1.2", get("Host: a\r\n", "GET / HTTP/1.2")),
  refused("HTTP/01.1", get("Host: a\r\n", "GET / HTTP/01.1")),
  refused("HTTP/1.1 and more", get("Host: a\r\n", "GET / HTTP/1.1 HTTP/1.0")),
  refused("HTTP/2.0", get("Host: a\r\n", "GET / HTTP/2.0")),
  refused("http/1.1", get("Host: a\r\n", "GET / http/1.1")),
  refused("two spaces before the target", get("Host: a\r\n", "GET  / HTTP/1.1")),
  refused("two spaces behind the target", get("Host: a\r\n", "GET /  HTTP/1.1")),
  refused("a space behind the version", get("Host: a\r\n", "GET / HTTP/1.1 ")),
  refused("a tab in the request line", get("Host: a\r\n", "GET\t/ HTTP/1.1")),
  refused("a blank before the method", get("Host: a\r\n", " GET / HTTP/1.1")),
  refused("a bare CR in the request line", get("Host: a\r\n", "GET /\rx HTTP/1.1")),
  refused("a bare LF in the request line", get("Host: a\r\n", "GET /\nx HTTP/1.1")),
  refused("a NUL in the target", get("Host: a\r\n", "GET /\0 HTTP/1.1")),
  refused("0x80 in the target", get("Host: a\r\n", "GET /\x80 HTTP/1.1")),
  refused("a fragment", get("Host: a\r\n", "GET /#x HTTP/1.1")),
  refused("a target without a slash", get("Host: a\r\n", "GET x HTTP/1.1")),
  refused("* for a GET", get("Host: a\r\n", "GET * HTTP/1.1")),
  refused("CONNECT", get("Host: a:443\r\n", "CONNECT a:443 HTTP/1.1"), 403),
  refused("https:// on a plain connection", get("Host: a\r\n", "GET https://a/ HTTP/1.1")),
  refused("another scheme", get("Host: a\r\n", "GET ftp://a/ HTTP/1.1")),
  refused("an absolute target without an authority", get("Host: a\r\n", "GET http:///x HTTP/1.1")),
  refused("an absolute target with user information", get("Host: a\r\n", "GET http://x@a/ HTTP/1.1")),
  refused("an absolute target with a backslash", get("Host: a\r\n", "GET http://a\\b/ HTTP/1.1")),
  refused("an absolute target, without Host", get("X: y\r\n", "GET http://a/ HTTP/1.1")),
  refused("`..` above the root", get("Host: a\r\nConnection: close\r\n", "GET /../x HTTP/1.1")),
  refused("an escaped NUL", get("Host: a\r\nConnection: close\r\n", "GET /%00 HTTP/1.1")),
  refused("a broken escape", get("Host: a\r\nConnection: close\r\n", "GET /%zz HTTP/1.1")),
  refused("an empty line and another before the request", `\r\n\r\n${get("Host: a\r\n")}`),
  refused("a bare LF before the request", `\n${get("Host: a\r\n")}`),
  refused("bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n"),
  { name: "an empty line before the request", bytes: `\r\n${get("Host: a\r\n")}`, upstream: upstream("GET / HTTP/1.1", "") },
  {
    name: "an absolute target wins over Host",
    bytes: get("Host: b\r\n", "GET http://a/x?y HTTP/1.1"),
    upstream: upstream("GET /x?y HTTP/1.1", ""),
  },
  {
    name: "dot segments, backslashes and escapes have one spelling",
    bytes: get("Host: a\r\n", "GET /x/%2e%2E/%61\\./b?%2e HTTP/1.1"),
    upstream: upstream("GET /a/b?%2e HTTP/1.1", ""),
  },
]; // prettier-ignore

const headerRows: readonly HostileRow[] = [
  refused("two Hosts", get("Host: a\r\nHost: a\r\n")),
  refused("two Hosts that differ", get("Host: a\r\nHost: b\r\n")),
  refused("no Host", get("X: y\r\n")),
  refused("an empty Host", get("Host:\r\n")),
  ...["a@b", "a/b", "a, b", "a b", "a\\b", "a#b", "a?b", '"a"', "a\x80"].map((host) => refused(`Host of ${JSON.stringify(host)}`, get(`Host: ${host}\r\n`))),
  refused("Host with a space before its colon", get("Host : a\r\n")),
  refused("a blank before the first header", get(" X: y\r\nHost: a\r\n")),
  refused("a folded line", get("Host: a\r\nX: y\r\n z\r\n")),
  refused("a line of blanks only", get("Host: a\r\n \r\n")),
  refused("a header without a colon", get("Host: a\r\nX\r\n")),
  refused("an empty name", get("Host: a\r\n: y\r\n")),
  refused("0x80 in a name", get("Host: a\r\nX\x80: y\r\n")),
  refused("NUL in a value", get("Host: a\r\nX: \0\r\n")),
  refused("DEL in a value", get("Host: a\r\nX: \x7f\r\n")),
  refused("a bare CR in a value", get("Host: a\r\nX: a\rb\r\n")),
  refused("CR CR LF", get("Host: a\r\nX: a\r\r\n")),
  refused("an unknown expectation", get("Host: a\r\nExpect: x\r\n"), 417),
  ...["host", "Content-Length", "close, transfer-encoding", "x-forwarded-for", "X-Forwarded-Proto", "x-forwarded-host"].map((nominated) =>
    refused(`Connection names ${nominated}`, get(`Host: a\r\nConnection: ${nominated}\r\n`)),
  ),
  refused("a head of more than 60 KiB", get(`Host: a\r\nX: ${"x".repeat(61_440)}\r\n`), 431),
  refused("more than 100 headers", get(`Host: a\r\n${"X: y\r\n".repeat(100)}`), 431),
  {
    name: "headers of the connection stay here",
    bytes: get("Host: a\r\nConnection: x-mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nTE: gzip\r\nProxy-Connection: close\r\nX: \t y \t\r\n"),
    upstream: upstream("GET / HTTP/1.1", "x: y\r\n"),
  },
  {
    name: "a body of a GET is its own",
    bytes: get(`Host: a\r\n${CL}: ${HIDDEN.length}\r\n`) + HIDDEN,
    upstream: upstream("GET / HTTP/1.1", `content-length: ${HIDDEN.length}\r\n`, "", HIDDEN),
  },
  {
    name: "a request in a body is a body",
    bytes: post(`${CL}: 0${HIDDEN.length}\r\n`, HIDDEN),
    upstream: upstream("POST / HTTP/1.1", `content-length: 0${HIDDEN.length}\r\n`, "", HIDDEN),
  },
  {
    name: "pipelined requests go one after the other",
    bytes: get("Host: a\r\n", "GET /1 HTTP/1.1") + post(`${CL}: 2\r\n`, "ok") + get("Host: a\r\n", "GET /2 HTTP/1.1"),
    upstream:
      upstream("GET /1 HTTP/1.1", "") + upstream("POST / HTTP/1.1", "content-length: 2\r\n", "", "ok") + upstream("GET /2 HTTP/1.1", ""),
  },
]; // prettier-ignore

/** Hostile HTTP/1.1: what RFC 9112 forbids, what Envoy's hardening refuses, and the families of request smuggling. */
export const smugglingRows: readonly HostileRow[] = [
  ...lengthRows,
  ...codingRows,
  ...chunkRows,
  ...targetRows,
  ...headerRows,
];
