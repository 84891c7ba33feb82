import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Agent, request } from "node:http";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { keepAliveAgent } from "../testing/client.ts";
import { http2Cluster } from "../testing/http2-cluster.ts";
import { Http2Backend, Http2Caller } from "../testing/http2-peers.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

/** Bytes that are not alike anywhere, and different for each number. */
function bodyOf(number: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = number * 2_654_435_761 + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const digestOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

function parts(body: Buffer, bytes: number): Buffer[] {
  return Array.from({ length: Math.ceil(body.length / bytes) }, (_none, i) =>
    body.subarray(i * bytes, (i + 1) * bytes),
  );
}

async function read(message: Readable, slowly = false): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if (slowly) await turn();
  }
  return Buffer.concat(chunks);
}

/** By HTTP/1.1. */
function post(port: number, agent: Agent, host: string, number: number, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunked: Record<string, string> = number % 3 === 0 ? {} : { "content-length": String(body.length) };
    const headers = { ...chunked, host, "x-number": String(number) };
    const outgoing = request({ host: "127.0.0.1", port, agent, method: "POST", headers }, (response) => {
      read(response, number % 5 === 0).then(resolve, reject);
    });
    outgoing.on("error", reject);
    const write = async (): Promise<void> => {
      for (const part of parts(body, 15_000)) {
        await new Promise((written) => outgoing.write(part, written));
        // So that the next part is a read of its own.
        for (let turns = 0; turns < 3; turns++) await turn();
      }
      outgoing.end();
    };
    write().catch(reject);
  });
}

async function post2(caller: Http2Caller, host: string, number: number, body: Buffer): Promise<Buffer> {
  const head = { ":authority": host, ":path": "/", ":method": "POST", "x-number": String(number) };
  return Buffer.from((await caller.call(head, parts(body, 20_000))).body, "latin1");
}

test("bodies of all sizes arrive as they were sent, both ways, where they are tried again, copied or read slowly", async () => {
  const failed = new Set<string>();
  /** @returns what to answer with; undefined: an error, the first time */
  const receive = async (message: Readable, host: unknown, number: unknown): Promise<Buffer | undefined> => {
    const body = await read(message);
    if (!String(host).startsWith("retried") || failed.has(String(number))) return body;
    failed.add(String(number));
    return undefined;
  };
  await using backend = await Backend.start((incoming, response) => {
    const number = incoming.headers["x-number"];
    void receive(incoming, incoming.headers.host, number).then((body) => {
      if (body === undefined) response.statusCode = 503;
      else if (Number(number) % 2 === 0) response.setHeader("content-length", body.length);
      for (const part of parts(body ?? Buffer.alloc(0), 30_000)) response.write(part);
      response.end();
    });
  });
  await using backend2 = await Http2Backend.start((stream, headers) => {
    void receive(stream, headers[":authority"], headers["x-number"]).then((body) => {
      stream.respond({ ":status": body === undefined ? 503 : 200 });
      for (const part of parts(body ?? Buffer.alloc(0), 30_000)) stream.write(part);
      stream.end();
    });
  });
  const copied = new Map<string, string>();
  await using copies = await Backend.start((incoming, response) => {
    void read(incoming).then((body) => {
      copied.set(String(incoming.headers["x-number"]), digestOf(body));
      response.end(body);
    });
  });
  const retryPolicy = { retryOn: "5xx", numRetries: 2, retryBackOff: { baseInterval: duration(1) } };
  const hostsTo = (name: string) => [
    toCluster(`plain-${name}`, name),
    toCluster(`retried-${name}`, name, { retryPolicy }),
    toCluster(`mirrored-${name}`, name, { requestMirrorPolicies: [{ cluster: "copies" }] }),
  ];
  await using proxy = await TestProxy.start({
    clusters: [
      staticCluster("http1", [backend.port]),
      http2Cluster("http2", [backend2.port]),
      staticCluster("copies", [copies.port]),
    ],
    listeners: [listener("in", 0)],
    routes: [routes("in", ...hostsTo("http1"), ...hostsTo("http2"))],
  });
  const agent = keepAliveAgent(6);
  using caller = new Http2Caller(proxy.port("in"));
  const expectedCopies = new Map<string, string>();
  const ask = async (number: number): Promise<void> => {
    const kind = ["plain", "retried", "mirrored"][number % 3]!;
    const host = `${kind}-${number % 4 < 2 ? "http1" : "http2"}`;
    // What is to be sent again must fit into memory: a mebibyte.
    const body = bodyOf(number, [0, 1, 700, 5000, 16_384, 70_000, 200_000, 900_000][(number * 7) % 8]! + number);
    const by = number % 5 < 2 ? "HTTP/2" : "HTTP/1.1";
    const answer = await (by === "HTTP/2"
      ? post2(caller, host, number, body)
      : post(proxy.port("in"), agent, host, number, body));
    assert.equal(digestOf(answer), digestOf(body), `${number} by ${by} to ${host}, ${body.length} bytes`);
    if (kind === "mirrored") expectedCopies.set(`${number}`, digestOf(body));
  };
  // No more at a time than Node's HTTP/2 client takes; three of them may be tried again, which is as many as a cluster allows.
  const lanes = Array.from({ length: 9 }, async (_none, lane) => {
    for (let number = lane; number < 360; number += 9) await ask(number);
  });
  await Promise.all(lanes);
  // Bodies of few reads each, on one connection: its memory is used again and again. An HTTP/2 host takes them without waiting.
  const one = keepAliveAgent(1);
  for (let number = 1000; number < 1096; number++) {
    const kind = ["plain", "retried", "mirrored"][Math.floor(number / 8) % 3]!;
    const host = `${kind}-${number % 2 === 0 ? "http1" : "http2"}`;
    const body = bodyOf(number, 60_000 + number);
    const answer = await post(proxy.port("in"), one, host, number, body);
    assert.equal(digestOf(answer), digestOf(body), `${number} to ${host}`);
    if (kind === "mirrored") expectedCopies.set(`${number}`, digestOf(body));
  }
  one.destroy();
  agent.destroy();
  assert.equal(failed.size, 120 + 32);
  await until("the copies", () => copied.size === expectedCopies.size);
  assert.deepEqual(copied, expectedCopies);
});
