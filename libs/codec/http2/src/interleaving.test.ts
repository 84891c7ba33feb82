import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Http2ClientStream } from "./client-connection.ts";
import type { Http2ResponseHead } from "./message-head.ts";
import { type ClientEnd, clientEnd, output, Recorder, type ServerEnd, serverEnd, settle } from "./testing/ends.ts";

const line = { method: "POST", path: "/", authority: "a", scheme: "http" };

interface Exchange {
  readonly stream: Http2ClientStream;
  readonly response: Recorder<Http2ResponseHead>;
  requestSent: number;
  responseSent: number;
  reset: boolean;
}

/** Two ends with bytes on their way between them, and everything that either may do, in any order. */
class Model {
  readonly #client: ClientEnd;
  readonly #server: ServerEnd;
  readonly #exchanges: Exchange[] = [];
  #toServer = Buffer.alloc(0);
  #toClient = Buffer.alloc(0);

  constructor(windowBytes: number) {
    const limits = { streamWindowBytes: windowBytes, connectionWindowBytes: 70_000, maxQueuedBytes: 50_000 };
    this.#client = clientEnd(limits);
    this.#server = serverEnd({ ...limits, maxConcurrentStreams: 1000 });
  }

  open(): void {
    const response = new Recorder<Http2ResponseHead>();
    const stream = this.#client.client.openStream(response);
    this.#client.client.sendHead(stream, line, [], undefined, false);
    this.#exchanges.push({ stream, response, requestSent: 0, responseSent: 0, reset: false });
  }

  /** @param which any number: taken modulo what there is */
  act(which: number, action: string, size: number): void {
    const exchange = this.#exchanges[which % Math.max(1, this.#exchanges.length)];
    if (exchange === undefined) return;
    const { client } = this.#client;
    const { server } = this.#server;
    const incoming = this.#server.streams.find(({ id }) => id === exchange.stream.id);
    switch (action) {
      case "ask":
        if (!exchange.stream.localEnded && !exchange.stream.closed) exchange.requestSent += size;
        client.sendData(exchange.stream, Buffer.alloc(size, "q"), false);
        return;
      case "end request":
        client.sendData(exchange.stream, Buffer.alloc(0), true);
        return;
      case "cancel":
        exchange.reset = true;
        client.resetStream(exchange.stream, 8);
        return;
      case "client reads":
        client.setReading(exchange.stream, size % 2 === 0);
        return;
      default:
    }
    if (incoming === undefined) return;
    switch (action) {
      case "respond":
        server.sendHead(incoming, 200, [], undefined, false);
        if (!incoming.localEnded && !incoming.closed) exchange.responseSent += size;
        server.sendData(incoming, Buffer.alloc(size, "r"), false);
        return;
      case "end response":
        server.sendHead(incoming, 200, [], undefined, false);
        if (size % 2 === 0) server.sendTrailers(incoming, ["x", "y"]);
        else server.sendData(incoming, Buffer.alloc(0), true);
        return;
      case "refuse":
        exchange.reset = true;
        server.resetStream(incoming, 2);
        return;
      default:
        server.setReading(incoming, size % 2 === 0);
    }
  }

  /** Lets some bytes arrive, each way. */
  deliver(bytes: number): void {
    this.#toServer = Buffer.concat([this.#toServer, output(this.#client.client)]);
    this.#toClient = Buffer.concat([this.#toClient, output(this.#server.server)]);
    this.#server.server.receive(Buffer.from(this.#toServer.subarray(0, bytes)));
    this.#client.client.receive(Buffer.from(this.#toClient.subarray(0, bytes)));
    this.#toServer = this.#toServer.subarray(bytes);
    this.#toClient = this.#toClient.subarray(bytes);
  }

  /** Everybody reads, everything arrives, every message ends: then all must be there, and nothing left over. */
  finish(): void {
    const { client } = this.#client;
    const { server, streams, recorders } = this.#server;
    this.deliver(Number.MAX_SAFE_INTEGER);
    for (const [i, { stream }] of this.#exchanges.entries()) {
      client.setReading(stream, true);
      this.act(i, "end request", 0);
    }
    for (const stream of streams) server.setReading(stream, true);
    settle(client, server);
    for (const i of this.#exchanges.keys()) this.act(i, "end response", 1);
    for (const stream of streams) server.setReading(stream, true);
    settle(client, server);
    for (const { stream, response, requestSent, responseSent, reset } of this.#exchanges) {
      if (reset) continue;
      assert.equal(response.body.length, responseSent);
      assert.deepEqual(response.told.slice(-2), ["end", "closed"]);
      const request = recorders[streams.findIndex(({ id }) => id === stream.id)];
      // A response may have ended before its request, which is then cut off.
      if (request?.told.includes("end") === true) assert.equal(request.body.length, requestSent);
    }
    assert.deepEqual([client.streams.size, server.streams.size], [0, 0]);
    assert.deepEqual([this.#client.stats.streams_active, this.#server.stats.streams_active], [0, 0]);
  }
}

const actions = [
  "ask", "ask", "respond", "respond", "end request", "end response", "cancel", "refuse", "client reads", "server reads",
] as const; // prettier-ignore
const step = fc.oneof(
  { weight: 1, arbitrary: fc.constant("open" as const) },
  { weight: 3, arbitrary: fc.constantFrom(1, 50, 5000, 100_000) },
  { weight: 6, arbitrary: fc.tuple(fc.nat(20), fc.constantFrom(...actions), fc.constantFrom(0, 1, 700, 9000, 40_001)) },
);

test("whatever both ends do, in any order and with bytes on their way, nothing is lost and nothing is left over", () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 5, maxLength: 80 }),
      fc.constantFrom(100, 65_535, 262_144),
      (steps, windowBytes) => {
        const model = new Model(windowBytes);
        model.open();
        for (const it of steps) {
          if (it === "open") model.open();
          else if (typeof it === "number") model.deliver(it);
          else model.act(...it);
        }
        model.finish();
      },
    ),
    { numRuns: 300 },
  );
});
