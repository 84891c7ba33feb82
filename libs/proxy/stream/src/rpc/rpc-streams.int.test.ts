import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { boltProtocol } from "@fairlead/codec-bolt";
import { dubboProtocol } from "@fairlead/codec-dubbo";
import { FrameCollector, type RpcFrame, type RpcProtocol } from "@fairlead/codec-rpc";
import { TimerWheel } from "@fairlead/timer-wheel";
import type { RequestHead } from "../message.ts";
import type { ServerConnection, ServerConnectionEvents, StreamReceiver } from "../stream.ts";
import { RpcRequestHead } from "./rpc-head.ts";
import { rpcStreamFactory } from "./rpc-stream-factory.ts";

/** Calls of one method without arguments, as small as they get. */
const dubboCall = Buffer.from(
  "dabbc2000000000100000007" +
    "0000001d" +
    "05322e302e32" +
    "056f72672e78" +
    "4e" +
    "046e6f7465" +
    "00" +
    "48016b01765a",
  "hex",
);
dubboCall.writeUInt32BE(dubboCall.length - 16, 12);

function boltCall(): Buffer {
  const bare = boltProtocol.heartbeat(7);
  bare.writeUInt16BE(1, 2);
  const request = boltProtocol.frameOf(bare);
  return boltProtocol.withAttachments(request, [
    ["service", "org.x:1.0"],
    ["sofa_head_method_name", "note"],
    ["k", "v"],
  ]);
}

function callOf(protocol: RpcProtocol, id: number, kind: "request" | "one-way" = "request"): Buffer {
  const bytes = protocol === boltProtocol ? boltCall() : Buffer.from(dubboCall);
  if (kind === "one-way") {
    if (protocol === boltProtocol) bytes[1] = 2;
    else bytes[2] = 0x82;
  }
  protocol.setId(bytes, protocol === dubboProtocol ? 1 : 0, id);
  return bytes;
}

/** A response with nothing in it. */
function responseTo(protocol: RpcProtocol, request: RpcFrame): Buffer {
  const response = protocol.failureOf(request, "unavailable", "");
  if (protocol === boltProtocol) response.writeUInt16BE(0, 10);
  else response[3] = 20;
  return response;
}

interface Peer {
  readonly frames: RpcFrame[];
  readonly socket: Socket;
  next(count: number): Promise<RpcFrame[]>;
}

function peer(
  protocol: RpcProtocol,
  socket: Socket,
  onFrame: (frame: RpcFrame, socket: Socket) => void = () => undefined,
): Peer {
  const frames: RpcFrame[] = [];
  const collector = new FrameCollector(protocol);
  const waiting: (() => void)[] = [];
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    collector.execute(chunk, (bytes) => {
      const frame = protocol.frameOf(Buffer.from(bytes));
      frames.push(frame);
      onFrame(frame, socket);
    });
    for (const wake of waiting.splice(0)) wake();
  });
  return {
    frames,
    socket,
    async next(count) {
      while (frames.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
      return frames.splice(0, count);
    },
  };
}

for (const protocol of [dubboProtocol, boltProtocol]) {
  describe(`${protocol.name} through two connections`, () => {
    const wheel = new TimerWheel();
    const factory = rpcStreamFactory(protocol);
    const heads: RequestHead[] = [];
    const serverConnections: ServerConnection[] = [];
    let host: Server;
    let hostPeer: Peer;
    let onCall: (frame: RpcFrame, socket: Socket) => void = () => undefined;
    let door: Server;
    let client: Peer;

    /** Passes each call of a client to one connection to the host. */
    async function start(): Promise<void> {
      host = createServer((socket) => {
        hostPeer = peer(protocol, socket, (frame, to) => onCall(frame, to));
      }).listen(0, "127.0.0.1");
      await once(host, "listening");
      const toHost = connect((host.address() as { port: number }).port, "127.0.0.1");
      await once(toHost, "connect");
      const upstream = factory.createClient(toHost, { onStreamDone: () => undefined, onClosed: () => undefined }, {});
      const events: ServerConnectionEvents = {
        onProtocolError: () => undefined,
        onClosed: () => undefined,
        onStream(sender, connection) {
          serverConnections.push(connection);
          const sent = upstream.openStream({
            onHead: (head, end) => sender.sendHead(head, end),
            onData: (chunk, end) => sender.sendData(chunk, end),
            onTrailers: (trailers) => sender.sendTrailers(trailers),
            onReset: () => sender.reset("remote reset"),
            onWriteBlocked: () => undefined,
            onWritable: () => undefined,
          });
          const receiver: StreamReceiver<RequestHead> = {
            onHead(head, end) {
              heads.push(head);
              if (head.headers.get("k") === "v") head.headers.set("added", "by a filter");
              sent.sendHead(head, end);
            },
            onData: (chunk, end) => sent.sendData(chunk, end),
            onTrailers: (trailers) => sent.sendTrailers(trailers),
            onReset: () => sent.reset("local reset"),
            onWriteBlocked: () => undefined,
            onWritable: () => undefined,
          };
          return receiver;
        },
      };
      door = createServer((socket) => factory.createServer(socket, events, { wheel })).listen(0, "127.0.0.1");
      await once(door, "listening");
      const socket = connect((door.address() as { port: number }).port, "127.0.0.1");
      await once(socket, "connect");
      client = peer(protocol, socket);
    }
    before(start);
    after(() => {
      client.socket.destroy();
      hostPeer.socket.destroy();
      host.close();
      door.close();
    });

    test("a call is a request with authority, path and attachments; what a filter adds gets into its frame", async () => {
      onCall = (frame, socket) => socket.write(responseTo(protocol, frame));
      client.socket.write(callOf(protocol, 42));
      const [response] = await client.next(1);
      assert.deepEqual([response?.kind, response?.idLow], ["response", 42]);
      const [head] = heads.splice(0);
      assert(head instanceof RpcRequestHead);
      assert.deepEqual([head.authority, head.path], ["org.x", "/org.x/note"]);
      const [received] = await hostPeer.next(1);
      const call = protocol.callOf(received!);
      assert.deepEqual(
        [call.service, call.method, call.attachment("k"), call.attachment("added")],
        ["org.x", "note", "v", "by a filter"],
      );
      assert.equal(received?.idHigh, 0, "its id is this connection's");
    });

    test("answers in another order reach their calls", async () => {
      const held: RpcFrame[] = [];
      onCall = (frame, socket) => {
        held.push(frame);
        if (held.length === 3) for (const each of held.toReversed()) socket.write(responseTo(protocol, each));
      };
      client.socket.write(Buffer.concat([1, 2, 3].map((id) => callOf(protocol, id))));
      const responses = await client.next(3);
      assert.deepEqual(
        responses.map(({ idLow }) => idLow),
        [3, 2, 1],
      );
      hostPeer.frames.length = 0;
    });

    test("equal ids of a client on two calls, and an answer that comes twice or for no call, confuse nobody", async () => {
      onCall = (frame, socket) => {
        socket.write(responseTo(protocol, frame));
        socket.write(responseTo(protocol, frame));
        const unknown = Buffer.from(frame.bytes);
        protocol.setId(unknown, 0, 999_999);
        socket.write(responseTo(protocol, protocol.frameOf(unknown)));
      };
      client.socket.write(Buffer.concat([callOf(protocol, 5), callOf(protocol, 5), callOf(protocol, 6)]));
      const responses = await client.next(3);
      assert.deepEqual(
        responses.map(({ idLow }) => idLow).toSorted((a, b) => a - b),
        [5, 5, 6],
      );
      hostPeer.frames.length = 0;
    });

    test("a one-way call has no answer, and leaves nothing behind", async () => {
      onCall = (frame, socket) => {
        if (frame.kind === "request") socket.write(responseTo(protocol, frame));
      };
      client.socket.write(Buffer.concat([callOf(protocol, 8, "one-way"), callOf(protocol, 9)]));
      const [response] = await client.next(1);
      assert.equal(response?.idLow, 9);
      const [oneWay] = await hostPeer.next(2);
      assert.equal(oneWay?.kind, "one-way");
      assert.equal(serverConnections.at(-1)?.activeStreams, 0);
    });

    test("one-way calls that the host does not take are under way until it does", async () => {
      const silent = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
      await once(silent, "listening");
      const accepted = once(silent, "connection") as Promise<[Socket]>;
      const toHost = connect((silent.address() as { port: number }).port, "127.0.0.1");
      await once(toHost, "connect");
      const [hostSide] = await accepted;
      const upstream = factory.createClient(toHost, { onStreamDone: () => undefined, onClosed: () => undefined }, {});
      const frame = protocol.frameOf(callOf(protocol, 1, "one-way"));
      const payload = protocol.withAttachments(frame, [["long", "x".repeat(60_000)]]);
      let done = 0;
      const send = () => {
        const ignore = { onData() {}, onTrailers() {}, onReset() {}, onWriteBlocked() {}, onWritable() {} };
        const stream = upstream.openStream({ ...ignore, onHead: () => done++ });
        const one = protocol.frameOf(Buffer.from(payload));
        stream.sendHead(new RpcRequestHead(protocol, one, protocol.callOf(one)), true);
      };
      const turn = async () => await new Promise((resolve) => setImmediate(resolve));
      let sent = 0;
      // More than all buffers between the two take.
      for (; sent < 2_000 && upstream.activeStreams < 50; sent++) {
        send();
        await turn();
      }
      assert.equal(upstream.activeStreams, 50);
      assert.equal(done, sent - 50);
      hostSide.resume();
      while (upstream.activeStreams > 0) await turn();
      assert.equal(done, sent);
      upstream.destroy();
      hostSide.destroy();
      silent.close();
    });

    // Only Dubbo has a word for coming back.
    const bye = protocol === dubboProtocol ? protocol.goAway(0) : undefined;
    if (bye !== undefined) {
      test("a host that leaves and comes back without end is told of once a turn", async () => {
        const back = Buffer.from(bye);
        // The event's body: R for READONLY, W for WRITEABLE.
        back[back.lastIndexOf(0x52)] = 0x57;
        assert.equal(protocol.frameOf(back).kind, "come-back");
        const silent = createServer().listen(0, "127.0.0.1");
        await once(silent, "listening");
        const accepted = once(silent, "connection") as Promise<[Socket]>;
        const toHost = connect((silent.address() as { port: number }).port, "127.0.0.1");
        await once(toHost, "connect");
        const [hostSide] = await accepted;
        const told: boolean[] = [];
        const events = {
          onStreamDone() {},
          onClosed() {},
          onHostLeaving: (leaving: boolean) => void told.push(leaving),
        };
        const upstream = factory.createClient(toHost, events, {});
        const ignore = {
          onHead() {},
          onData() {},
          onTrailers() {},
          onReset() {},
          onWriteBlocked() {},
          onWritable() {},
        };
        upstream.openStream(ignore);
        hostSide.end(Buffer.concat(Array.from({ length: 1_000 }, () => Buffer.concat([bye, back]))));
        await once(toHost, "close");
        assert(told.length > 0 && told.length < 50, `told ${told.length} times`);
        assert.equal(told.at(-1), false);
        hostSide.destroy();
        silent.close();
      });
    }

    test("a heartbeat ends here, on both sides", async () => {
      client.socket.write(protocol.heartbeat(77));
      const [reply] = await client.next(1);
      assert.deepEqual([reply?.kind, reply?.idLow], ["heartbeat-reply", 77]);
      hostPeer.socket.write(protocol.heartbeat(78));
      const [fromUs] = await hostPeer.next(1);
      assert.deepEqual([fromUs?.kind, fromUs?.idLow], ["heartbeat-reply", 78]);
    });

    test("a call that cannot be read fails in its own protocol, and the connection goes on", async () => {
      onCall = (frame, socket) => socket.write(responseTo(protocol, frame));
      const broken = callOf(protocol, 10);
      // Beyond its head: lengths of texts.
      broken.fill(0xff, protocol === dubboProtocol ? 16 : 22, protocol === dubboProtocol ? 20 : 26);
      if (protocol === boltProtocol) broken.writeUInt32BE(0xfffffff0, 22);
      client.socket.write(Buffer.concat([broken, callOf(protocol, 11)]));
      const [failed, answered] = await client.next(2);
      assert.deepEqual([failed?.idLow, protocol.outcomeOf(failed!).delivered], [10, false]);
      assert.deepEqual([answered?.idLow, protocol.outcomeOf(answered!).delivered], [11, true]);
    });

    test("a host that goes away while calls are under way: each of them is told", async () => {
      onCall = (_frame, socket) => socket.destroy();
      client.socket.write(Buffer.concat([callOf(protocol, 20), callOf(protocol, 21)]));
      const failed = await client.next(2);
      for (const frame of failed) assert.equal(protocol.outcomeOf(frame).delivered, false);
    });

    test("bytes of another protocol end the connection", async () => {
      const closed = once(client.socket, "close");
      client.socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".padEnd(64));
      await closed;
    });
  });
}
