import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { ProxyBeforeHost } from "../testing/proxy-before-host.ts";
import { greeting, RawHttp2Client, request } from "../testing/raw-http2.ts";
import { ADDED } from "../testing/smuggling-rows.ts";

const PROTOCOL_ERROR = 1;
const HIDDEN = "GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n";
const SPLIT = `x\r\n\r\n${HIDDEN}`;

interface Row {
  readonly name: string;
  readonly headers: readonly string[];
  readonly body?: readonly string[];
  /** The host's request, exactly; undefined when the stream is reset. */
  readonly upstream?: string;
  /** Its head was good: the host may have seen the beginning, and no end. */
  readonly midBody?: boolean;
}

function head(...more: string[]): string[] {
  return [":method", "POST", ":scheme", "http", ":path", "/", ":authority", "a", ...more];
}

/** `head` with one of the pseudo headers replaced. */
function pseudo(name: string, value: string): string[] {
  const headers = head();
  headers[headers.indexOf(name) + 1] = value;
  return headers;
}

function expected(lines: string, framing: string, body: string, line = "POST / HTTP/1.1"): string {
  return `${line}\r\nhost: a\r\n${lines}${ADDED}${framing}\r\n${body}`;
}

/** What HTTP/2 can carry in a text and HTTP/1.1 would take for framing (RFC 9113 §10.3). */
const rows: readonly Row[] = [
  { name: "CRLF in a value", headers: head("x", `y\r\ntransfer-encoding: chunked`) },
  { name: "a whole request in a value", headers: head("x", SPLIT) },
  { name: "LF in a value", headers: head("x", "y\ncontent-length: 33") },
  { name: "CR in a value", headers: head("x", "y\rcontent-length: 33") },
  { name: "NUL in a value", headers: head("x", "y\0z") },
  { name: "DEL in a value", headers: head("x", "y\x7f") },
  { name: "CRLF at the end of a value", headers: head("x", "y\r\n") },
  { name: "a blank before a value", headers: head("x", " y") },
  { name: "a blank behind a value", headers: head("x", "y ") },
  { name: "CRLF in a name", headers: head("x: y\r\ntransfer-encoding", "chunked") },
  { name: "a colon in a name", headers: head("transfer-encoding:chunked\r\nx", "y") },
  { name: "a colon alone in a name", headers: head("x:", "y") },
  { name: "a blank in a name", headers: head("transfer-encoding ", "chunked") },
  { name: "a tab in a name", headers: head("x\t", "y") },
  { name: "NUL in a name", headers: head("x\0", "y") },
  { name: "0x80 in a name", headers: head("x\x80", "y") },
  { name: "capitals in a name", headers: head("Transfer-Encoding", "chunked") },
  { name: "an empty name", headers: head("", "y") },
  { name: "a blank in :path", headers: pseudo(":path", "/ HTTP/1.1") },
  { name: "a whole request in :path", headers: pseudo(":path", `/ HTTP/1.1\r\nhost: a\r\n\r\n${HIDDEN}`) },
  { name: "CRLF in :path", headers: pseudo(":path", "/\r\nx: y") },
  { name: "a tab in :path", headers: pseudo(":path", "/\tx") },
  { name: "a fragment in :path", headers: pseudo(":path", "/#x") },
  { name: "0x80 in :path", headers: pseudo(":path", "/\x80") },
  { name: "an absolute :path", headers: pseudo(":path", "http://b/") },
  { name: ":path without a slash", headers: pseudo(":path", "x") },
  { name: "an empty :path", headers: pseudo(":path", "") },
  { name: "* in :path of a POST", headers: pseudo(":path", "*") },
  { name: "a blank in :method", headers: pseudo(":method", "GET /hidden HTTP/1.1") },
  { name: "CRLF in :method", headers: pseudo(":method", "GET / HTTP/1.1\r\nhost: a\r\n\r\nGET") },
  { name: "an empty :method", headers: pseudo(":method", "") },
  { name: "CRLF in :authority", headers: pseudo(":authority", `a\r\n\r\n${HIDDEN}`) },
  { name: "a blank in :authority", headers: pseudo(":authority", "a b") },
  { name: "user information in :authority", headers: pseudo(":authority", "b@a") },
  { name: "a path in :authority", headers: pseudo(":authority", "a/b") },
  { name: "a list in :authority", headers: pseudo(":authority", "a,b") },
  { name: "a query in :authority", headers: pseudo(":authority", "a?b") },
  { name: "a backslash in :authority", headers: pseudo(":authority", "a\\b") },
  { name: "0x80 in :authority", headers: pseudo(":authority", "a\x80") },
  { name: "an empty :authority", headers: pseudo(":authority", "") },
  { name: "host other than :authority", headers: head("host", "b") },
  { name: "host twice", headers: head("host", "a", "host", "a") },
  { name: "CRLF in :scheme", headers: pseudo(":scheme", "http\r\nx: y") },
  { name: "another scheme", headers: pseudo(":scheme", "http://a/x?") },
  { name: ":path twice", headers: head(":path", "/hidden") },
  { name: "a pseudo header after the others", headers: [...head("x", "y"), ":authority", "b"] },
  { name: "an unknown pseudo header", headers: head(":x", "y") },
  { name: "transfer-encoding", headers: head("transfer-encoding", "chunked"), body: ["0\r\n\r\n", HIDDEN] },
  { name: "connection", headers: head("connection", "content-length") },
  { name: "keep-alive", headers: head("keep-alive", "timeout=5") },
  { name: "proxy-connection", headers: head("proxy-connection", "keep-alive") },
  { name: "upgrade", headers: head("upgrade", "h2c") },
  { name: "te other than trailers", headers: head("te", "trailers, chunked") },
  { name: "content-length twice", headers: head("content-length", "0", "content-length", "33"), body: [HIDDEN] },
  { name: "a list in content-length", headers: head("content-length", "0, 0") },
  { name: "a sign in content-length", headers: head("content-length", "+0") },
  { name: "a content-length without data", headers: head("content-length", "33") },
  { name: "content-length below the data", headers: head("content-length", "0"), body: [HIDDEN], midBody: true },
  { name: "content-length below the data, in two frames", headers: head("content-length", "2"), body: ["ok", HIDDEN], midBody: true },
  { name: "content-length above the data", headers: head("content-length", "99"), body: [HIDDEN], midBody: true },
  { name: "`..` above the root is refused", headers: pseudo(":path", "/../x"), upstream: "" },
  {
    name: "data without a length is chunked",
    headers: head(),
    body: [HIDDEN, "ok"],
    upstream: expected("", "transfer-encoding: chunked\r\n", `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n2\r\nok\r\n0\r\n\r\n`),
  },
  { name: "data with a length has that length", headers: head("content-length", "2"), body: ["o", "k"], upstream: expected("content-length: 2\r\n", "", "ok") },
  { name: "no data", headers: head(), upstream: expected("", "content-length: 0\r\n", "") },
  { name: "an empty frame of data only", headers: head(), body: [""], upstream: expected("", "content-length: 0\r\n", "") },
  { name: "cookies in one", headers: head("cookie", "a=1", "cookie", "b=2"), upstream: expected("cookie: a=1; b=2\r\n", "content-length: 0\r\n", "") },
]; // prettier-ignore

for (const rules of ["strict", "lenient"] as const) {
  describe(`HTTP/2 of an attacker, in HTTP/1.1 before a ${rules} host`, () => {
    let world: ProxyBeforeHost;
    before(async () => (world = await ProxyBeforeHost.start(rules)));
    after(async () => await world[Symbol.asyncDispose]());

    for (const { name, headers, body, upstream, midBody } of rows) {
      test(`${upstream === undefined ? "reset" : "forwarded"}: ${name}`, async () => {
        const { host, proxy } = world;
        host.clear();
        using client = new RawHttp2Client(proxy.port("in"));
        client.send(Buffer.concat([greeting, request(1, headers, body)]));
        await until("an end of the stream", () => client.endOf(1) !== undefined || client.closed);
        assert.equal(client.endOf(1), upstream === undefined ? PROTOCOL_ERROR : "response");
        await until("a request that was cut off is ended at the host", () => host.waiting === 0);
        if (midBody !== true) assert.equal(host.bytes, upstream ?? "");
        assert.equal(host.requests.length, upstream === undefined || upstream === "" ? 0 : 1);
        // The connection is as good as before, and what was refused has left nothing at the host.
        host.clear();
        client.send(request(3, head()));
        await until("an end of the next stream", () => client.endOf(3) !== undefined || client.closed);
        assert.equal(client.endOf(3), "response");
        assert.equal(host.bytes, expected("", "content-length: 0\r\n", ""));
        assert.deepEqual(host.faults, []);
      });
    }
  });
}
