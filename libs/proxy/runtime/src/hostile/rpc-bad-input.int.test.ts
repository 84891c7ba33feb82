import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { goldenFrames } from "@fairlead/codec-bolt/testing";
import type { RpcFrame } from "@fairlead/codec-rpc";
import { rpcProtocols } from "@fairlead/proxy-stream";
import { until } from "@fairlead/testing-basics";
import * as fc from "fast-check";
import { TestProxy } from "../testing/proxy.ts";
import { duration, routes } from "../testing/resources.ts";
import { brokenCalls, responseTo, withId } from "../testing/rpc-calls.ts";
import { rpcCluster, rpcListener, RpcPeer, RpcTestHost } from "../testing/rpc-peers.ts";

const MIB = 1024 * 1024;

for (const protocol of rpcProtocols.values()) {
  describe(`hostile peers of ${protocol.name}`, () => {
    const calls = brokenCalls(protocol);
    let host: RpcTestHost;
    let proxy: TestProxy;
    let client: RpcPeer;
    const answer = (frame: RpcFrame): Buffer => responseTo(protocol, frame);

    before(async () => {
      host = await RpcTestHost.start(protocol);
      const action = { clusterSpecifier: { case: "cluster" as const, value: "a" }, timeout: duration(300) };
      const match = { pathSpecifier: { case: "prefix" as const, value: "/" } };
      proxy = await TestProxy.start({
        clusters: [rpcCluster("a", protocol.name, [host.port])],
        listeners: [rpcListener("in")],
        routes: [
          routes("in", {
            name: "all",
            domains: ["*"],
            routes: [
              // Asks every call for an attachment.
              {
                match: { ...match, headers: [{ name: "colour", headerMatchSpecifier: { case: "presentMatch", value: true } }] },
                action: { case: "directResponse", value: { status: 404 } },
              },
              { match, action: { case: "route", value: action } },
            ],
          }),
        ],
      }); // prettier-ignore
    });
    after(async () => {
      client.socket.destroy();
      await proxy[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    });
    beforeEach(() => {
      client?.socket.destroy();
      client = RpcPeer.client(protocol, proxy.port("in"));
      host.onCall = (frame, socket) => socket.write(answer(frame));
    });

    async function frames(count: number): Promise<RpcFrame[]> {
      await until(`${count} frames`, () => client.frames.length >= count || client.closed);
      assert.equal(client.closed, false, "the connection has ended");
      return client.frames.splice(0).toSorted((a, b) => a.idLow - b.idLow);
    }

    function delivered(answers: readonly RpcFrame[]): (readonly [id: number, delivered: boolean])[] {
      return answers.map((frame) => [frame.idLow, protocol.outcomeOf(frame).delivered]);
    }

    for (const part of ["head", "attachments", "nesting"] as const) {
      test(`a call whose ${part} cannot be read fails alone, the calls beside it are answered`, async () => {
        client.socket.write(
          Buffer.concat([
            withId(protocol, calls.good, 1),
            withId(protocol, calls[part], 2),
            withId(protocol, calls.good, 3),
          ]),
        );
        assert.deepEqual(delivered(await frames(3)), [
          [1, true],
          [2, false],
          [3, true],
        ]);
      });
    }

    test("equal ids, an answer that comes twice and one that nobody waits for: each call has its own answer", async () => {
      host.onCall = (frame, socket) => {
        socket.write(answer(frame));
        socket.write(answer(frame));
        socket.write(withId(protocol, answer(frame), 0x7ffffff0));
      };
      const call = withId(protocol, calls.good, 5);
      client.socket.write(Buffer.concat([call, call, withId(protocol, calls.good, 6)]));
      const expected = [5, 5, 6].map((id) => [id, true]);
      assert.deepEqual(delivered(await frames(3)), expected);
    });

    test("a host that never answers: the call times out in its own protocol, and a late answer goes nowhere", async () => {
      const held: (() => void)[] = [];
      host.onCall = (frame, socket) => held.push(() => socket.write(answer(frame)));
      client.socket.write(withId(protocol, calls.good, 7));
      const [late] = await frames(1);
      assert(late !== undefined);
      assert.deepEqual([late.idLow, protocol.outcomeOf(late).httpStatus], [7, 504]);
      assert.equal(proxy.stat("cluster.a.upstream_rq_active"), 0);
      host.onCall = (frame, socket) => socket.write(answer(frame));
      for (const send of held) send();
      client.socket.write(withId(protocol, calls.good, 8));
      assert.deepEqual(delivered(await frames(1)), [[8, true]]);
    });

    test("a host that answers with bytes that are no frame: its calls fail, the next one has a new connection", async () => {
      host.onCall = (_frame, socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".padEnd(64));
      client.socket.write(withId(protocol, calls.good, 9));
      assert.deepEqual(delivered(await frames(1)), [[9, false]]);
      const connections = host.connections.length;
      host.onCall = (frame, socket) => socket.write(answer(frame));
      client.socket.write(withId(protocol, calls.good, 10));
      assert.deepEqual(delivered(await frames(1)), [[10, true]]);
      assert.equal(host.connections.length, connections + 1);
    });

    test("an answer whose inside cannot be read: its call fails, the others on the connection do not", async (context) => {
      if (protocol.name === "dubbo") {
        context.diagnostic("of a Dubbo answer only its first byte is read");
        return;
      }
      host.onCall = (frame, socket) => {
        const good = answer(frame);
        if (frame.bytes.includes("spoil")) {
          // A header that is longer than all headers.
          const spoilt = Buffer.concat([good, Buffer.from("0000ffff61626364", "hex")]);
          spoilt.writeUInt16BE(8, 14);
          spoilt.writeUInt32BE(spoilt.length - 28 - good.readUInt16BE(12), 16);
          socket.write(spoilt.subarray(0, 20 + spoilt.readUInt16BE(12) + 8 + spoilt.readUInt32BE(16)));
        } else setImmediate(() => socket.write(good));
      };
      const spoilt = protocol.withAttachments(protocol.frameOf(withId(protocol, calls.good, 22)), [["spoil", "it"]]);
      client.socket.write(Buffer.concat([withId(protocol, calls.good, 21), spoilt, withId(protocol, calls.good, 23)]));
      assert.deepEqual(delivered(await frames(3)), [
        [21, true],
        [22, false],
        [23, true],
      ]);
    });

    test("a frame that says it has 1 GiB ends its connection at its head, and nothing is kept for it", async () => {
      const errors = proxy.stat("rpc.in.downstream_cx_protocol_error");
      const memory = process.memoryUsage().arrayBuffers;
      const huge = withId(protocol, calls.good, 11);
      huge.writeUInt32BE(0x40000000, protocol.name === "dubbo" ? 12 : 18);
      client.socket.write(huge);
      await until("the end of the connection", () => client.closed);
      assert(process.memoryUsage().arrayBuffers - memory < 16 * MIB);
      assert.equal(proxy.stat("rpc.in.downstream_cx_protocol_error"), errors + 1);
    });

    test("a frame of bolt 2 whose checksum is wrong ends its connection, and reaches no host", async (context) => {
      if (protocol.name === "dubbo") {
        context.diagnostic("Dubbo has no checksum");
        return;
      }
      const frame = Buffer.from(goldenFrames["v2 crc request"], "hex");
      client.socket.write(frame);
      await frames(1);
      const seen = host.connections.flatMap((each) => each.frames).length;
      frame[60]! ^= 1;
      client.socket.write(frame);
      await until("the end of the connection", () => client.closed);
      assert.equal(host.connections.flatMap((each) => each.frames).length, seen);
    });

    test("a client that leaves in the middle of a frame leaves nothing at the host or in the proxy", async () => {
      const seen = host.connections.reduce((sum, each) => sum + each.frames.length, 0);
      client.socket.end(calls.good.subarray(0, calls.good.length - 3));
      await until("the end of the connection", () => client.closed);
      assert.equal(host.connections.reduce((sum, each) => sum + each.frames.length, 0), seen);
      await until("no connection is left", () => proxy.stat("rpc.in.downstream_cx_active") <= 0);
    }); // prettier-ignore

    test("bytes that were changed anywhere end in an answer or the end of their connection; others go on", async () => {
      const change = fc.tuple(fc.nat(), fc.nat(255));
      const bystander = RpcPeer.client(protocol, proxy.port("in"));
      let id = 100;
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
          const bytes = withId(protocol, calls.good, 1);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          const attacker = RpcPeer.client(protocol, proxy.port("in"));
          attacker.socket.write(bytes);
          bystander.socket.write(withId(protocol, calls.good, ++id));
          await until("an answer to the other client", () => bystander.frames.length > 0 || bystander.closed);
          assert.deepEqual(delivered(bystander.frames.splice(0)), [[id, true]]);
          attacker.socket.destroy();
        }),
        { numRuns: 150 },
      );
      bystander.socket.destroy();
      await until("no call is left", () => proxy.stat("cluster.a.upstream_rq_active") === 0);
    });
  });
}
