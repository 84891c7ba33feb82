import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { Backend, RawBackend } from "../testing/backend.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

const MIB = 1024 * 1024;
const piece = Buffer.alloc(256 * 1024, "x");

async function proxyTo(port: number): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [staticCluster("a", [port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
}

test("100 MiB go through both ways, with and without a length", async () => {
  await using backend = await Backend.start((incoming, response) => {
    const length = incoming.headers["content-length"];
    if (length !== undefined) response.setHeader("content-length", length);
    incoming.pipe(response);
  });
  await using proxy = await proxyTo(backend.port);
  for (const headers of [{}, { "content-length": 100 * MIB }]) {
    const received = await new Promise<number>((resolve, reject) => {
      const outgoing = request({ port: proxy.port("in"), host: "127.0.0.1", method: "POST", headers }, (response) => {
        let bytes = 0;
        response.on("data", (chunk: Buffer) => (bytes += chunk.length));
        response.on("end", () => resolve(bytes));
        response.on("error", reject);
      });
      outgoing.on("error", reject);
      let left = (100 * MIB) / piece.length;
      const send = (): void => {
        while (left > 0) {
          left--;
          if (!outgoing.write(piece)) {
            outgoing.once("drain", send);
            return;
          }
        }
        outgoing.end();
      };
      send();
    });
    assert.equal(received, 100 * MIB);
  }
});

test("a reader that stops slows the host down; the proxy holds little", async () => {
  let sent = 0;
  let finished = false;
  await using backend = await RawBackend.start((socket) => {
    socket.once("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * MIB}\r\n\r\n`);
      const send = (): void => {
        while (sent < 64 * MIB) {
          sent += piece.length;
          if (!socket.write(piece)) {
            socket.once("drain", send);
            return;
          }
        }
        finished = true;
      };
      send();
    });
  });
  await using proxy = await proxyTo(backend.port);
  const client = connect(proxy.port("in"), "127.0.0.1", () => client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  client.pause();
  await until("the proxy stops reading", () => proxy.stat("cluster.a.upstream_flow_control_paused_reading_total") > 0);
  let before = -1;
  await until("the host is stopped", () => {
    const still = sent === before;
    before = sent;
    return still;
  });
  assert.equal(finished, false);
  let received = 0;
  client.on("data", (chunk: Buffer) => (received += chunk.length));
  client.resume();
  await until("all of it arrives", () => received > 64 * MIB, 20_000);
  assert.equal(finished, true);
  client.destroy();
});

test("a host that stops reading slows the client down", async () => {
  let received = 0;
  let resume = (): void => {};
  await using backend = await RawBackend.start((socket) => {
    socket.pause();
    resume = () => {
      socket.on("data", (chunk: Buffer) => {
        received += chunk.length;
        if (received > 64 * MIB) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      });
      socket.resume();
    };
  });
  await using proxy = await proxyTo(backend.port);
  let answered = "";
  const client = connect(proxy.port("in"), "127.0.0.1", () => {
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${64 * MIB}\r\n\r\n`);
    let left = (64 * MIB) / piece.length;
    const send = (): void => {
      while (left-- > 0) {
        if (!client.write(piece)) {
          client.once("drain", send);
          return;
        }
      }
    };
    send();
  });
  client.on("data", (chunk: Buffer) => (answered += chunk.toString()));
  await until("the proxy stops reading", () => proxy.stat("http.in.downstream_flow_control_paused_reading_total") > 0);
  assert(client.writableLength > 0);
  resume();
  await until("all of it arrives", () => answered.startsWith("HTTP/1.1 200"), 20_000);
  client.destroy();
});
