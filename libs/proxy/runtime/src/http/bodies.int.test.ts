import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Agent, type IncomingMessage, request } from "node:http";
import { test } from "node:test";
import { Backend } from "../testing/backend.ts";
import { eventually, keepAliveAgent } from "../testing/client.ts";
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

async function read(message: IncomingMessage, slowly = false): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if (slowly) await new Promise((resolve) => setImmediate(resolve));
  }
  return Buffer.concat(chunks);
}

function post(port: number, agent: Agent, host: string, number: number, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunked: Record<string, string> = number % 3 === 0 ? {} : { "content-length": String(body.length) };
    const headers = { ...chunked, host, "x-number": String(number) };
    const outgoing = request({ host: "127.0.0.1", port, agent, method: "POST", headers }, (response) => {
      read(response, number % 5 === 0).then(resolve, reject);
    });
    outgoing.on("error", reject);
    for (let at = 0; at < body.length; at += 50_000) outgoing.write(body.subarray(at, at + 50_000));
    outgoing.end();
  });
}

test("bodies of all sizes arrive as they were sent, both ways, where they are tried again, copied or read slowly", async () => {
  const failed = new Set<string>();
  const copied = new Map<string, string>();
  await using backend = await Backend.start((incoming, response) => {
    const number = String(incoming.headers["x-number"]);
    void read(incoming).then((body) => {
      if (incoming.headers.host === "retried" && !failed.has(number)) {
        failed.add(number);
        response.statusCode = 503;
        response.end();
        return;
      }
      if (Number(number) % 2 === 0) response.setHeader("content-length", body.length);
      for (let at = 0; at < body.length; at += 30_000) response.write(body.subarray(at, at + 30_000));
      response.end();
    });
  });
  await using copies = await Backend.start((incoming, response) => {
    void read(incoming).then((body) => {
      copied.set(String(incoming.headers["x-number"]), digestOf(body));
      response.end(body);
    });
  });
  const retryPolicy = { retryOn: "5xx", numRetries: 2, retryBackOff: { baseInterval: duration(1) } };
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port]), staticCluster("b", [copies.port])],
    listeners: [listener("in", 0)],
    routes: [
      routes(
        "in",
        toCluster("plain", "a"),
        toCluster("retried", "a", { retryPolicy }),
        toCluster("mirrored", "a", { requestMirrorPolicies: [{ cluster: "b" }] }),
      ),
    ],
  });
  const agent = keepAliveAgent(6);
  const expectedCopies = new Map<string, string>();
  await Promise.all(
    Array.from({ length: 180 }, async (_none, number) => {
      const host = ["plain", "retried", "mirrored"][number % 3]!;
      // What is to be sent again must fit into memory: a mebibyte.
      const body = bodyOf(number, [0, 1, 700, 5000, 16_384, 70_000, 200_000, 900_000][(number * 7) % 8]! + number);
      const answer = await post(proxy.port("in"), agent, host, number, body);
      assert.equal(digestOf(answer), digestOf(body), `${number} by ${host}, ${body.length} bytes`);
      if (host === "mirrored") expectedCopies.set(`${number}`, digestOf(body));
    }),
  );
  agent.destroy();
  assert.equal(failed.size, 60);
  await eventually(() => copied.size === expectedCopies.size, "the copies");
  assert.deepEqual(copied, expectedCopies);
});
