import assert from "node:assert/strict";
import { test } from "node:test";
import { ERROR_CODE, FRAME } from "./frame-types.ts";
import { output, serverEnd } from "./testing/ends.ts";
import { get, greeting, parseFrames, post, request } from "./testing/raw-frames.ts";

/** Each is a stream error: nobody is told of the request, and the connection goes on. */
const malformed: readonly (readonly [name: string, headers: readonly string[]])[] = [
  ["an upper-case name", [...get, "Accept", "x"]],
  ["a name with a blank", [...get, "a b", "x"]],
  ["a name with a colon", [...get, "a:b", "x"]],
  ["an empty name", [...get, "", "x"]],
  ["a name above ASCII", [...get, "\xe9", "x"]],
  ["CR in a value", [...get, "x", "a\rb"]],
  ["LF in a value", [...get, "x", "a\nhost: b"]],
  ["NUL in a value", [...get, "x", "a\0"]],
  ["DEL in a value", [...get, "x", "a\x7f"]],
  ["a blank before a value", [...get, "x", " a"]],
  ["a tab after a value", [...get, "x", "a\t"]],
  ["connection", [...get, "connection", "close"]],
  ["keep-alive", [...get, "keep-alive", "timeout=5"]],
  ["proxy-connection", [...get, "proxy-connection", "close"]],
  ["transfer-encoding", [...get, "transfer-encoding", "chunked"]],
  ["upgrade", [...get, "upgrade", "websocket"]],
  ["te other than trailers", [...get, "te", "gzip, trailers"]],
  [
    "a pseudo header after the others",
    [":method", "GET", ":scheme", "http", "x", "y", ":path", "/", ":authority", "a"],
  ],
  ["an unknown pseudo header", [...get, ":what", "x"]],
  [":status in a request", [...get, ":status", "200"]],
  [":protocol without having been allowed", [":method", "CONNECT", ":protocol", "websocket", ...get.slice(2)]],
  [":path twice", [...get, ":path", "/b"]],
  ["no :method", get.slice(2)],
  ["no :scheme", [":method", "GET", ":path", "/", ":authority", "a"]],
  ["another scheme", [":method", "GET", ":scheme", "ftp", ":path", "/", ":authority", "a"]],
  ["no :path", [":method", "GET", ":scheme", "http", ":authority", "a"]],
  ["an empty :path", [":method", "GET", ":scheme", "http", ":path", "", ":authority", "a"]],
  ["a :path in absolute form", [":method", "GET", ":scheme", "http", ":path", "http://b/", ":authority", "a"]],
  ["a blank in :path", [":method", "GET", ":scheme", "http", ":path", "/ HTTP/1.1", ":authority", "a"]],
  ["a fragment in :path", [":method", "GET", ":scheme", "http", ":path", "/#x", ":authority", "a"]],
  ["* for a GET", [":method", "GET", ":scheme", "http", ":path", "*", ":authority", "a"]],
  ["a method with a blank", [":method", "GET /x", ":scheme", "http", ":path", "/", ":authority", "a"]],
  ["no authority", [":method", "GET", ":scheme", "http", ":path", "/"]],
  ["CRLF in :authority", [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a\r\nb"]],
  ["user information in :authority", [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "x@a"]],
  ["a path in :authority", [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a/b"]],
  ["a byte above ASCII in :path", [":method", "GET", ":scheme", "http", ":path", "/\xe9", ":authority", "a"]],
  ["host other than :authority", [...get, "host", "b"]],
  ["host twice", [...get, "host", "a", "host", "a"]],
  ["content-length twice", [...get, "content-length", "0", "content-length", "0"]],
  ["content-length with a sign", [...get, "content-length", "+1"]],
  ["content-length in hexadecimal", [...get, "content-length", "0x1"]],
  ["content-length without data", [...get, "content-length", "3"]],
  ["an unknown expectation", [...get, "expect", "99-what"]],
];

for (const [name, headers] of malformed) {
  test(`malformed: ${name}`, () => {
    const end = serverEnd();
    end.server.receive(greeting);
    output(end.server);
    end.server.receive(request(1, headers));
    const frames = parseFrames(output(end.server));
    assert.deepEqual(
      frames.map(({ type, streamId, payload }) => [type, streamId, payload.readUInt32BE(0)]),
      [[FRAME.rstStream, 1, ERROR_CODE.protocolError]],
    );
    assert.equal(end.recorders.length, 0);
    assert.equal(end.stats.rx_messaging_error, 1);
    end.server.receive(request(3));
    assert.equal(end.recorders.length, 1);
  });
}

test("a head is passed on without what belongs to the connection, cookies in one, never-indexed as such", () => {
  const end = serverEnd();
  const headers = [
    ...post,
    "cookie",
    "a=1",
    "te",
    "trailers",
    "cookie",
    "b=2",
    "host",
    "a",
    "expect",
    "100-continue",
    "authorization",
    "s",
  ];
  end.server.receive(Buffer.concat([greeting, request(1, headers, false)]));
  assert.deepEqual(end.recorders[0]?.told, [
    {
      method: "POST",
      path: "/",
      authority: "a",
      scheme: "http",
      protocol: undefined,
      headers: ["cookie", "a=1; b=2", "te", "trailers", "authorization", "s"],
      neverIndexed: ["authorization"],
      expectContinue: true,
    },
  ]);
});

test("host stands in for :authority", () => {
  const end = serverEnd();
  end.server.receive(Buffer.concat([greeting, request(1, [...get.slice(0, 6), "host", "h"])]));
  const head = end.recorders[0]?.told[0];
  assert(head !== undefined && (head as { authority: string }).authority === "h");
});

test("a head that is too large, or has too many headers, is answered 431; CONNECT 403", () => {
  const many = [...get, ...Array.from({ length: 100 }, (_, i) => [`x-${i}`, "1"]).flat()];
  const connect = [":method", "CONNECT", ":authority", "a:443"];
  for (const [headers, status] of [
    [[...get, "x", "y".repeat(8000), "z", "y".repeat(7000)], 431],
    [many, 431],
    [connect, 403],
  ] as const) {
    const end = serverEnd({ maxHeadBytes: 12_000 });
    end.server.receive(Buffer.concat([greeting, request(1, headers)]));
    assert.deepEqual(end.refused, [status]);
    assert.equal(end.recorders.length, 0);
    end.server.receive(request(3));
    assert.equal(end.recorders.length, 1);
  }
});
