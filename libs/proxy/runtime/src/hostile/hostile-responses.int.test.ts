import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { RawBackend } from "../testing/backend.ts";
import { call, keepAliveAgent } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

const HIDDEN = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden";
const BAD = 502;

/** A host's answer to one request; what the client gets of it, or the proxy's 502. Nothing of it may answer the next request. */
const rows: readonly (readonly [name: string, method: string, bytes: string, status: number, body?: string])[] = [
  ["CL and TE", "GET", `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`, BAD],
  ["TE and CL", "GET", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n${HIDDEN}`, BAD],
  ["two CL", "GET", `HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 3\r\n\r\n${HIDDEN}`, BAD],
  ["a list in CL", "GET", `HTTP/1.1 200 OK\r\nContent-Length: 0, 0\r\n\r\n${HIDDEN}`, BAD],
  ["a sign in CL", "GET", `HTTP/1.1 200 OK\r\nContent-Length: +0\r\n\r\n${HIDDEN}`, BAD],
  ["a CL of 2^64", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n", BAD],
  ["a space before CL's colon", "GET", `HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n${HIDDEN}`, BAD],
  ["a folded line", "GET", `HTTP/1.1 200 OK\r\nX: y\r\n Content-Length: 0\r\n\r\n${HIDDEN}`, BAD],
  ["bare LF", "GET", `HTTP/1.1 200 OK\nContent-Length: 0\n\n${HIDDEN}`, BAD],
  ["a bare CR in a value", "GET", `HTTP/1.1 200 OK\r\nX: y\rz\r\nContent-Length: 0\r\n\r\n${HIDDEN}`, BAD],
  ["a NUL in a value", "GET", `HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 0\r\n\r\n${HIDDEN}`, BAD],
  ["a control byte in the reason", "GET", `HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n${HIDDEN}`, BAD],
  ["TE gzip, chunked", "GET", `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${HIDDEN}`, BAD],
  ["two TE", "GET", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n${HIDDEN}`, BAD],
  ["TE in HTTP/1.0", "GET", `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`, BAD],
  ["a status of two digits", "GET", `HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n${HIDDEN}`, BAD],
  ["a status of four digits", "GET", `HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n${HIDDEN}`, BAD],
  ["a status of 0", "GET", `HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n${HIDDEN}`, BAD],
  ["HTTP/2.0", "GET", `HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n${HIDDEN}`, BAD],
  ["no HTTP at all", "GET", `220 mail ready\r\n\r\n${HIDDEN}`, BAD],
  ["101 to who did not ask", "GET", `HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n${HIDDEN}`, BAD],
  ["interim responses without an end", "GET", "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000), BAD],
  ["a head of more than 60 KiB", "GET", `HTTP/1.1 200 OK\r\nX: ${"y".repeat(70_000)}\r\n\r\n`, BAD],
  ["more than 100 headers", "GET", `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(101)}\r\n`, BAD],
  ["a response behind the response", "GET", `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${HIDDEN}`, 200, "ok"],
  ["a body of a 204", "GET", `HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nhidden${HIDDEN}`, 204, ""],
  ["a body of a 304", "GET", `HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\nhidden${HIDDEN}`, 304, ""],
  ["chunks of a 204", "GET", `HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`, 204, ""],
  ["a body in answer to HEAD", "HEAD", `HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden${HIDDEN}`, 200, ""],
  ["an interim response, then one", "GET", "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"],
  ["trailers that look like framing", "GET", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nContent-Length: 99\r\n\r\n${HIDDEN}`, 200, "ok"],
]; // prettier-ignore

describe("bytes of a hostile host", () => {
  let answer = "";
  let backend: RawBackend;
  let proxy: TestProxy;
  before(async () => {
    backend = await RawBackend.start((socket) => {
      let asked = 0;
      socket.on("data", () => {
        // A connection that is used again after a hostile answer would get this far.
        socket.write(
          asked++ === 0 ? answer : "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nreused",
          "latin1",
        );
      });
    });
    proxy = await TestProxy.start({
      clusters: [staticCluster("a", [backend.port])],
      listeners: [listener("in", 0)],
      routes: [routes("in", toCluster("*", "a"))],
    });
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  for (const [name, method, bytes, status, body] of rows) {
    test(`${status}: ${name}`, async () => {
      const agent = keepAliveAgent(1);
      answer = bytes;
      const first = await call(proxy.port("in"), { method, agent });
      assert.equal(first.status, status);
      if (body !== undefined) assert.equal(first.body, body);
      assert(!first.body.includes("hidden"), first.body);
      // Answered on a good connection to the host: a new one, unless nothing was wrong with the first.
      answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nclean";
      const next = await call(proxy.port("in"), { agent });
      const good = name === "an interim response, then one";
      assert.deepEqual([next.status, next.body], [200, good ? "reused" : "clean"]);
      agent.destroy();
    });
  }
});
