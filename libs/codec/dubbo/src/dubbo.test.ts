import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameCollector, type RpcFailure, type RpcFrame } from "@fairlead/codec-rpc";
import { FairleadError } from "@fairlead/errors";
import * as fc from "fast-check";
import { dubboProtocol } from "./index.ts";
import { goldenFrames } from "./testing/golden-frames.ts";

const serializations = ["hessian2", "fastjson2"] as const;

function golden(name: keyof typeof goldenFrames): RpcFrame {
  return dubboProtocol.frameOf(Buffer.from(goldenFrames[name], "hex"));
}

for (const name of serializations) {
  test(`${name}: a call tells its service, method and attachments; five arguments of all kinds are skipped`, () => {
    const frame = golden(`${name} request`);
    assert.deepEqual([frame.kind, frame.idHigh, frame.idLow], ["request", 1, 7]);
    const call = dubboProtocol.callOf(frame);
    const { service, version, group, method, timeoutMs, serialization, readable } = call;
    assert.deepEqual(
      { service, version, group, method, timeoutMs, serialization, readable },
      {
        service: "org.x.Greeter",
        version: "1.0.0",
        group: "blue",
        method: "greet",
        timeoutMs: 3000,
        serialization: name,
        readable: true,
      },
    );
    assert.equal(call.attachment("dubbo.tag"), "gray");
    assert.equal(call.attachment("dubbo.application"), "é");
    assert.equal(call.attachment("retries"), "2");
    assert.equal(call.attachment("flag"), "true");
    assert.equal(call.attachment("long"), "v".repeat(300));
    assert.equal(call.attachment("since"), undefined, "a long is no text");
    assert.equal(call.attachments().length, 10);
  });

  test(`${name}: no version, no arguments, no attachments`, () => {
    const frame = golden(`${name} one-way`);
    assert.equal(frame.kind, "one-way");
    const call = dubboProtocol.callOf(frame);
    const { method, version, group, timeoutMs } = call;
    assert.deepEqual(
      { method, version, group, timeoutMs },
      { method: "note", version: "", group: "", timeoutMs: undefined },
    );
  });

  test(`${name}: a generic call is a call of the method that it names`, () => {
    const call = dubboProtocol.callOf(golden(`${name} generic`));
    assert.deepEqual([call.method, call.version, call.group], ["greet", "", "blue"]);
  });

  test(`${name}: attachments of a named map type`, () => {
    const call = dubboProtocol.callOf(golden(`${name} typed attachments`));
    assert.equal(call.method, "m");
    assert.equal(call.attachment("first"), undefined);
    // Of fastjson2 nothing is read behind a list.
    assert.equal(call.group, name === "hessian2" ? "g" : "");
  });

  test(`${name}: events end on each hop`, () => {
    assert.equal(golden(`${name} heartbeat`).kind, "heartbeat");
    assert.equal(golden(`${name} read-only`).kind, "go-away");
    assert.equal(golden(`${name} writable`).kind, "come-back");
    const reply = dubboProtocol.frameOf(dubboProtocol.heartbeatReply(golden(`${name} heartbeat`)));
    assert.deepEqual([reply.kind, reply.idHigh, reply.idLow], ["heartbeat-reply", 1, 7]);
    assert.equal(reply.bytes[2]! & 0x1f, golden(`${name} heartbeat`).bytes[2]! & 0x1f);
  });

  test(`${name}: outcomes`, () => {
    assert.deepEqual(dubboProtocol.outcomeOf(golden(`${name} value`)), {
      delivered: true,
      threw: false,
      status: 20,
      httpStatus: 200,
    });
    assert.deepEqual(dubboProtocol.outcomeOf(golden(`${name} exception`)), {
      delivered: true,
      threw: true,
      status: 20,
      httpStatus: 200,
    });
    assert.deepEqual(dubboProtocol.outcomeOf(golden(`${name} error`)), {
      delivered: false,
      threw: false,
      status: 70,
      httpStatus: 500,
    });
  });

  test(`${name}: an id is changed in place, and changed back gives the same bytes`, () => {
    const hex = goldenFrames[`${name} request`];
    const bytes = Buffer.from(hex, "hex");
    dubboProtocol.setId(bytes, 0, 0xfffffffe);
    const { idHigh, idLow } = dubboProtocol.frameOf(bytes);
    assert.deepEqual([idHigh, idLow], [0, 0xfffffffe]);
    dubboProtocol.setId(bytes, 1, 7);
    assert.equal(bytes.toString("hex"), hex);
  });

  for (const kind of ["request", "one-way"] as const) {
    test(`${name}: attachments are added to a ${kind} and win over those that were there`, () => {
      const frame = golden(`${name} ${kind}`);
      const changed = dubboProtocol.withAttachments(frame, [
        ["traceparent", "00-é"],
        ["group", "green"],
      ]);
      assert.equal(dubboProtocol.lengthOf(changed, 0, changed.length), changed.length);
      const call = dubboProtocol.callOf(dubboProtocol.frameOf(changed));
      assert.deepEqual([call.attachment("traceparent"), call.group, call.service], ["00-é", "green", "org.x.Greeter"]);
      // All before the attachments is as it was.
      const same = frame.bytes.length - 600;
      if (same > 16) assert.deepEqual(changed.subarray(16, same), frame.bytes.subarray(16, same));
    });
  }

  test(`${name}: a failure is a response with the request's id and serialization, a status and a text`, () => {
    const expected: Record<RpcFailure, number> = {
      "no-route": 60,
      "no-healthy-upstream": 60,
      overflow: 100,
      timeout: 31,
      "connection-failed": 60,
      "connection-lost": 35,
      denied: 80,
      malformed: 40,
      unavailable: 70,
    };
    const java = golden(`${name} error`).bytes;
    for (const [failure, status] of Object.entries(expected)) {
      const reply = dubboProtocol.failureOf(golden(`${name} request`), failure as RpcFailure, "no such method");
      const { httpStatus, ...outcome } = dubboProtocol.outcomeOf(dubboProtocol.frameOf(reply));
      assert.deepEqual(outcome, { delivered: false, threw: false, status });
      assert(httpStatus >= 400);
      assert.equal(reply.subarray(4).toString("hex"), java.subarray(4).toString("hex"), "as Java writes it");
      assert.equal(reply[2], java[2]);
    }
  });
}

test("our own heartbeat is one, and our own go-away is Dubbo's", () => {
  const { kind, idHigh, idLow } = dubboProtocol.frameOf(dubboProtocol.heartbeat(5));
  assert.deepEqual([kind, idHigh, idLow], ["heartbeat", 0, 5]);
  const goAway = dubboProtocol.goAway(7);
  assert(goAway !== undefined);
  assert.equal(goAway.subarray(12).toString("hex"), goldenFrames["hessian2 read-only"].slice(24));
});

test("a serialization that is not read is passed on; attachments cannot be added to it", () => {
  const bytes = Buffer.from(goldenFrames["hessian2 request"], "hex");
  bytes[2] = 0xc0 | 3;
  const frame = dubboProtocol.frameOf(bytes);
  const call = dubboProtocol.callOf(frame);
  assert.deepEqual(
    [call.readable, call.serialization, call.service, call.attachment("group")],
    [false, "java", "", undefined],
  );
  assert.throws(() => dubboProtocol.withAttachments(frame, [["a", "b"]]), { code: "FL_RPC_BODY_UNREADABLE" });
  assert.equal(dubboProtocol.failureOf(frame, "timeout", "late").length, 16);
});

test("a body that is not what its frame says fails the call, not the connection", () => {
  const bytes = Buffer.from(goldenFrames["fastjson2 request"], "hex");
  bytes[2] = 0xc0 | 2;
  assert.throws(() => dubboProtocol.callOf(dubboProtocol.frameOf(bytes)), { code: "FL_RPC_BODY_UNREADABLE" });
});

test("a descriptor that never ends is refused", () => {
  for (const descriptor of ["Ljava/lang/String", "[", "Q", "[[[["]) {
    const text = Buffer.from(descriptor);
    const body = Buffer.concat([
      Buffer.from("05322e302e320161014e016d", "hex"),
      Buffer.of(text.length),
      text,
      Buffer.of(0x4e),
    ]);
    const head = Buffer.from(goldenFrames["hessian2 one-way"].slice(0, 32), "hex");
    head.writeUInt32BE(body.length, 12);
    const frame = dubboProtocol.frameOf(Buffer.concat([head, body]));
    assert.throws(() => dubboProtocol.callOf(frame), { code: "FL_RPC_BODY_UNREADABLE" }, descriptor);
  }
});

test("a call with more attachments than any framework sends is refused before they take the proxy's time", () => {
  const head = Buffer.from("dabbc20000000000000000070000000005322e302e32056f72672e784e046e6f74650048", "hex");
  const bytes = Buffer.concat([head, Buffer.alloc(8_000_000), Buffer.of(0x5a)]);
  bytes.writeUInt32BE(bytes.length - 16, 12);
  const call = dubboProtocol.callOf(dubboProtocol.frameOf(bytes));
  assert.equal(call.method, "note");
  const before = process.cpuUsage();
  assert.throws(() => call.attachments(), { code: "FL_RPC_BODY_UNREADABLE", message: /more than 1024 attachments/ });
  assert(process.cpuUsage(before).user < 500_000);
});

test("a frame that does not begin with the magic ends the connection at its second byte", () => {
  const collector = new FrameCollector(dubboProtocol);
  assert.throws(() => collector.execute(Buffer.from("GE"), () => undefined), { code: "FL_RPC_MALFORMED" });
  assert.deepEqual(
    [Buffer.of(), Buffer.of(0xda), Buffer.of(0xda, 0xbb), Buffer.of(0xda, 0xbc), Buffer.from("GET")].map((first) =>
      dubboProtocol.matches(first),
    ),
    [undefined, undefined, true, false, false],
  );
});

test("any split of the bytes gives the same frames", () => {
  const frames = Object.values(goldenFrames);
  const bytes = Buffer.from(frames.join(""), "hex");
  fc.assert(
    fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 20 }), (cuts) => {
      const at = [0, ...cuts, bytes.length].toSorted((a, b) => a - b);
      const seen: string[] = [];
      const collector = new FrameCollector(dubboProtocol);
      for (const [i, end] of at.slice(1).entries()) {
        collector.execute(bytes.subarray(at[i], end), (frame) => seen.push(frame.toString("hex")));
      }
      assert.deepEqual(seen, frames);
    }),
  );
});

test("bytes of any kind end in frames and calls, or in a FairleadError", () => {
  const seeds = Object.values(goldenFrames).map((hex) => Buffer.from(hex, "hex"));
  const mutations = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 5 });
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.uint8Array({ maxLength: 80 }), mutations, (seed, noise, changes) => {
      const bytes = Buffer.concat([seed, noise]);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      try {
        new FrameCollector(dubboProtocol).execute(bytes, (piece) => {
          const frame = dubboProtocol.frameOf(piece);
          if (frame.kind === "response") dubboProtocol.outcomeOf(frame);
          if (frame.kind !== "request" && frame.kind !== "one-way") return;
          const call = dubboProtocol.callOf(frame);
          assert(call.attachments().length >= 0 && typeof call.group === "string");
          dubboProtocol.failureOf(frame, "timeout", "late");
        });
      } catch (error) {
        assert(error instanceof FairleadError, String(error));
      }
    }),
    { numRuns: 5000 },
  );
});
