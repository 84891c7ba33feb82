import assert from "node:assert/strict";
import { test } from "node:test";
import { Http1Error } from "./http1-error.ts";
import { type Http1ResponseHead } from "./message-head.ts";
import { Http1ResponseParser } from "./response-parser.ts";

function parse(
  method: string,
  text: string,
): { heads: Http1ResponseHead[]; body: string; ends: number; rest: string; finished: boolean } {
  const told = { heads: [] as Http1ResponseHead[], body: "", ends: 0, rest: "", finished: false };
  const parser = new Http1ResponseParser({
    onHead: (head) => told.heads.push(head),
    onData: (slice) => (told.body += slice.toString("latin1")),
    onEnd: () => told.ends++,
  });
  parser.expect(method);
  const bytes = Buffer.from(text, "latin1");
  told.rest = bytes.toString("latin1", parser.execute(bytes, 0));
  told.finished = parser.finish();
  return told;
}

test("HEAD, 204 and 304 have no body whatever their headers say", () => {
  assert.equal(parse("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").ends, 1);
  assert.equal(parse("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n").ends, 1);
  const noContent = parse("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nrest");
  assert.equal(noContent.ends, 1);
  assert.equal(noContent.rest, "rest");
  assert.deepEqual(noContent.heads[0]?.headers, []);
});

test("a response without length ends with the connection, and the connection with it", () => {
  const told = parse("GET", "HTTP/1.1 200 OK\r\n\r\nall of it");
  assert.equal(told.body, "all of it");
  assert.equal(told.heads[0]?.keepAlive, false);
  assert.equal(told.finished, true);
  assert.equal(told.ends, 1);
});

test("a response that is cut short is not complete", () => {
  const told = parse("GET", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
  assert.equal(told.finished, false);
  assert.equal(told.ends, 0);
});

test("HTTP/1.0 keeps the connection only when it says so; Keep-Alive's timeout is read", () => {
  assert.equal(parse("GET", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").heads[0]?.keepAlive, false);
  const kept = parse(
    "GET",
    "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\nKeep-Alive: max=9, timeout=5\r\n\r\n",
  );
  assert.equal(kept.heads[0]?.keepAlive, true);
  assert.equal(kept.heads[0]?.keepAliveTimeoutSeconds, 5);
});

const malformed: readonly (readonly [string, string])[] = [
  ["not HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
  ["HTTP/2", "HTTP/2 200\r\n\r\n"],
  ["status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
  ["status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
  ["no status", "HTTP/1.1\r\n\r\n"],
  ["status 099", "HTTP/1.1 099 X\r\n\r\n"],
  ["CL and TE", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["TE in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["two CL", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
  ["101", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
  ["interim responses without end", "HTTP/1.1 100 Continue\r\n\r\n".repeat(20)],
  ["too many headers", `HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(101)}\r\n`],
];

for (const [name, text] of malformed) {
  test(`a malformed response is refused: ${name}`, () => {
    assert.throws(() => parse("GET", text), Http1Error);
  });
}
