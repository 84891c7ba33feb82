import assert from "node:assert/strict";
import { test } from "node:test";
import { Http1Error } from "./http1-error.ts";
import { type Http1RequestHead } from "./message-head.ts";
import { Http1RequestParser } from "./request-parser.ts";

/** The rows of request smuggling and of Envoy's HTTP/1 hardening: what must be refused, and how. */
const refused: readonly (readonly [name: string, bytes: string, status: number, details?: string])[] = [
  ["CL and TE", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
  ["TE and CL", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400],
  ["two CL", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", 400],
  ["CL list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n", 400],
  ["signed CL", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n", 400],
  ["negative CL", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\n", 400],
  ["hexadecimal CL", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\n", 400],
  ["empty CL", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400],
  ["CL of 2^64+1", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\n", 400],
  [
    "TE gzip, chunked",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    501,
    "http1.invalid_transfer_encoding",
  ],
  ["TE identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 501],
  ["TE with vertical tab", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked\r\n\r\n", 400],
  ["two TE", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 501],
  ["TE in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 426, "low_version"],
  ["HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", 426, "low_version"],
  ["HTTP/0.9", "GET /\r\n\r\n", 426, "low_version"],
  ["HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400],
  ["HTTP/1.1 with a tail", "GET / HTTP/1.1x\r\nHost: a\r\n\r\n", 400],
  ["lower-case http", "GET / http/1.1\r\nHost: a\r\n\r\n", 400],
  ["two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
  ["no Host", "GET / HTTP/1.1\r\nAccept: a\r\n\r\n", 400, "missing_host_header"],
  ["empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", 400, "missing_host_header"],
  ["Host with user information", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400],
  ["Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400],
  ["Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400],
  ["https target", "GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["absolute target without Host", "GET http://a/ HTTP/1.1\r\n\r\n", 400],
  ["absolute target without authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["relative target", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["fragment", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 403, "upgrade_failed"],
  ["two spaces in the request line", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["tab in the request line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["8-bit target", "GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["method with a colon", "G:T / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["Connection names Host", "GET / HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n", 400],
  ["Connection names CL", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Content-Length\r\n\r\n", 400],
  ["Connection names x-forwarded-for", "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Forwarded-For\r\n\r\n", 400],
  ["folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400],
  ["folded line with a colon", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb: c\r\n\r\n", 400],
  ["space before the colon", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\n", 400],
  ["space before the first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400],
  ["empty name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400],
  ["8-bit name", "GET / HTTP/1.1\r\nHost: a\r\nX\x80: x\r\n\r\n", 400],
  ["NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 400],
  ["NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n", 400],
  ["no colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400],
  ["bare LF after a header", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400],
  ["bare LF only", "GET / HTTP/1.1\nHost: a\n\n", 400],
  ["bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400],
  ["CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400],
  ["unknown expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417],
  ["head too large", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(61_440)}\r\n\r\n`, 431, "http1.headers_too_large"],
  ["head without end", `GET /${"x".repeat(70_000)}`, 431, "http1.headers_too_large"],
  ["101 headers", `GET / HTTP/1.1\r\nHost: a\r\n${"x: y\r\n".repeat(100)}\r\n`, 431, "http1.too_many_headers"],
  ["chunk size 0x1", chunked("0x1\r\na\r\n0\r\n\r\n"), 400],
  ["chunk size with a space", chunked("1 \r\na\r\n0\r\n\r\n"), 400],
  ["chunk size with a sign", chunked("+1\r\na\r\n0\r\n\r\n"), 400],
  ["no chunk size", chunked("\r\na\r\n0\r\n\r\n"), 400],
  ["chunk size of 2^64", chunked("10000000000000000\r\na\r\n0\r\n\r\n"), 400],
  ["chunk size of leading zeros", chunked(`${"0".repeat(64)}1\r\na\r\n0\r\n\r\n`), 400],
  ["chunk size line in LF", chunked("1\na\r\n0\r\n\r\n"), 400],
  ["chunk data in LF", chunked("1\r\na\n0\r\n\r\n"), 400],
  ["chunk too long", chunked("1\r\nab\r\n0\r\n\r\n"), 400],
  ["extension with a bare LF", chunked("1;a\nb\r\na\r\n0\r\n\r\n"), 400],
  ["extensions without bound", chunked(`${`1;${"e".repeat(3000)}\r\na\r\n`.repeat(2)}0\r\n\r\n`), 400],
  ["last chunk in LF", chunked("0\r\n\n"), 400],
  ["trailer without colon", chunked("0\r\nx\r\n\r\n"), 400],
  ["trailer with a bare LF", chunked("0\r\nx: y\n\r\n\r\n"), 400],
];

function chunked(body: string): string {
  return `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
}

function parse(bytes: Buffer, pieceBytes: number): Http1RequestHead[] {
  const heads: Http1RequestHead[] = [];
  const parser = new Http1RequestParser({ onHead: (head) => heads.push(head), onData() {}, onEnd() {} });
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    const piece = bytes.subarray(start, start + pieceBytes);
    for (let at = 0; at < piece.length;) at = parser.execute(piece, at);
  }
  return heads;
}

for (const [name, text, status, details] of refused) {
  test(`refused with ${status}: ${name}`, () => {
    const bytes = Buffer.from(text, "latin1");
    for (const pieceBytes of [bytes.length, 1, 7]) {
      assert.throws(
        () => parse(bytes, pieceBytes),
        (error: unknown) => {
          assert(error instanceof Http1Error, String(error));
          // A lone LF is seen before the lines of a split head are; any other verdict is the same.
          assert.equal(error.status, status, error.message);
          if (details !== undefined) assert.equal(error.details, details);
          return true;
        },
      );
    }
  });
}

test("an absolute target wins over Host", () => {
  const [head] = parse(Buffer.from("GET HTTP://Real:80?q=1 HTTP/1.1\r\nHost: other\r\n\r\n"), 1000);
  assert.equal(head?.authority, "Real:80");
  assert.equal(head?.path, "/?q=1");
});

test("headers of the connection do not travel on", () => {
  const text =
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Private\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\nTE: gzip\r\n" +
    "Proxy-Connection: close\r\nUpgrade: websocket\r\nX-Public: \t 2 \r\n\r\n";
  const [head] = parse(Buffer.from(text), 1000);
  assert.deepEqual(head?.headers, ["x-public", "2"]);
  assert.equal(head?.keepAlive, false);
});

test("one empty line before a request is skipped, and extensions are dropped", () => {
  assert.equal(parse(Buffer.from(`\r\n${chunked('1;a="b";c\r\na\r\n0;d\r\nTrailer: x\r\n\r\n')}`), 3).length, 1);
});
