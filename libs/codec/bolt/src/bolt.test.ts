import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameCollector, type RpcFailure, type RpcFrame } from "@fairlead/codec-rpc";
import { FairleadError } from "@fairlead/errors";
import * as fc from "fast-check";
import { boltProtocol } from "./index.ts";
import { goldenFrames } from "./testing/golden-frames.ts";

const versions = ["v1", "v2", "v2 crc"] as const;

function golden(name: keyof typeof goldenFrames): RpcFrame {
  return boltProtocol.frameOf(Buffer.from(goldenFrames[name], "hex"));
}

function withId(hex: string, id: number): Buffer {
  const bytes = Buffer.from(hex, "hex");
  boltProtocol.setId(bytes, 0, id);
  return bytes;
}

for (const version of versions) {
  test(`${version}: a call tells its service, method and properties without its arguments being read`, () => {
    const frame = golden(`${version} request`);
    assert.deepEqual([frame.kind, frame.idHigh, frame.idLow], ["request", 0, 7]);
    const call = boltProtocol.callOf(frame);
    const { service, version: serviceVersion, group, method, timeoutMs, serialization, readable } = call;
    assert.deepEqual(
      { service, serviceVersion, group, method, timeoutMs, serialization, readable },
      {
        service: "com.alipay.test.EchoService",
        serviceVersion: "1.0",
        group: "uid",
        method: "echo",
        timeoutMs: 3000,
        serialization: "hessian2",
        readable: true,
      },
    );
    assert.equal(call.attachment("tag"), "gray");
    assert.equal(call.attachment("rpc_trace_context.sofaTraceId"), "t1");
    assert.equal(call.attachment("service"), "com.alipay.test.EchoService:1.0:uid");
    assert.equal(call.attachment("none"), undefined);
    assert.deepEqual(
      call.attachments().map(([name]) => name),
      ["service", "rpc_trace_context.sofaRpcId", "rpc_trace_context.sofaTraceId", "tag"],
    );
  });

  test(`${version}: kinds and outcomes`, () => {
    assert.equal(golden(`${version} heartbeat`).kind, "heartbeat");
    assert.equal(golden(`${version} heartbeat reply`).kind, "heartbeat-reply");
    assert.deepEqual(boltProtocol.outcomeOf(golden(`${version} response`)), {
      delivered: true,
      threw: false,
      status: 0,
      httpStatus: 200,
    });
    assert.equal(golden(`${version} error`).kind, "response");
  });

  test(`${version}: an id is changed in place, and changed back gives the same bytes`, () => {
    const hex = goldenFrames[`${version} request`];
    const changed = withId(hex, 0xdeadbeef);
    assert.equal(boltProtocol.frameOf(changed).idLow, 0xdeadbeef);
    assert.equal(withId(changed.toString("hex"), 7).toString("hex"), hex);
  });

  test(`${version}: attachments are added and replaced; class and content stay as they are`, () => {
    const frame = golden(`${version} request`);
    const changed = boltProtocol.withAttachments(frame, [
      ["traceparent", "00-é"],
      ["service", "other:1.0"],
    ]);
    assert.equal(boltProtocol.lengthOf(changed, 0, changed.length), changed.length);
    const call = boltProtocol.callOf(boltProtocol.frameOf(changed));
    assert.equal(call.attachment("traceparent"), "00-é");
    assert.equal(call.service, "other");
    assert.equal(call.method, "echo");
  });

  test(`${version}: a failure is a response with the request's id and codec, and a status`, () => {
    const expected: Record<RpcFailure, number> = {
      "no-route": 6,
      "no-healthy-upstream": 6,
      overflow: 4,
      timeout: 7,
      "connection-failed": 6,
      "connection-lost": 0x10,
      denied: 2,
      malformed: 9,
      unavailable: 3,
    };
    for (const [failure, status] of Object.entries(expected)) {
      const reply = boltProtocol.failureOf(golden(`${version} request`), failure as RpcFailure, "no host");
      assert.equal(boltProtocol.lengthOf(reply, 0, reply.length), reply.length);
      const frame = boltProtocol.frameOf(reply);
      assert.deepEqual([frame.kind, frame.idLow], ["response", 7]);
      const { httpStatus, ...outcome } = boltProtocol.outcomeOf(frame);
      assert.deepEqual(outcome, { delivered: false, threw: false, status });
      assert(httpStatus >= 400);
    }
  });

  test(`${version}: the reply to a heartbeat has its id and version`, () => {
    const heartbeat = golden(`${version} heartbeat`);
    const reply = boltProtocol.frameOf(boltProtocol.heartbeatReply(heartbeat));
    assert.deepEqual([reply.kind, reply.idLow, reply.bytes[0]], ["heartbeat-reply", 9, heartbeat.bytes[0]]);
  });

  test(`${version}: any split of the bytes gives the same frames`, () => {
    const frames = [
      goldenFrames[`${version} heartbeat reply`],
      goldenFrames[`${version} request`],
      goldenFrames[`${version} response`],
    ];
    const bytes = Buffer.from(frames.join(""), "hex");
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 10 }), (cuts) => {
        const at = [0, ...cuts, bytes.length].toSorted((a, b) => a - b);
        const seen: string[] = [];
        const collector = new FrameCollector(boltProtocol);
        for (const [i, end] of at.slice(1).entries()) {
          collector.execute(bytes.subarray(at[i], end), (frame) => seen.push(frame.toString("hex")));
        }
        assert.deepEqual(seen, frames);
      }),
    );
  });
}

test("Java's headers are enough: the content is not looked at", () => {
  const request = golden("v1 request");
  const java = boltProtocol.withAttachments(request, [
    ["sofa_head_target_service", "com.x.Y:2.0"],
    ["sofa_head_method_name", "find"],
  ]);
  java.fill(0xff, java.length - 300);
  const { service, version, group, method } = boltProtocol.callOf(boltProtocol.frameOf(java));
  assert.deepEqual(
    { service, version, group, method },
    { service: "com.x.Y", version: "2.0", group: "", method: "find" },
  );
});

test("our own heartbeat is one; MOSN's go-away is read and not sent, as Java does not know it", () => {
  assert.deepEqual(boltProtocol.frameOf(boltProtocol.heartbeat(5)).kind, "heartbeat");
  assert.equal(boltProtocol.goAway(6), undefined);
  const goAway = boltProtocol.heartbeat(6);
  goAway.writeUInt16BE(100, 2);
  assert.equal(boltProtocol.frameOf(goAway).kind, "go-away");
});

test("a service that threw was reached, and failed", () => {
  const response = boltProtocol.withAttachments(golden("v1 response"), [["sofa_head_response_error", "true"]]);
  assert.deepEqual(boltProtocol.outcomeOf(boltProtocol.frameOf(response)), {
    delivered: true,
    threw: true,
    status: 0,
    httpStatus: 200,
  });
});

test("a frame that was changed on its way fails its checksum", () => {
  const bytes = Buffer.from(goldenFrames["v2 crc request"], "hex");
  bytes[60]! ^= 1;
  assert.throws(() => boltProtocol.frameOf(bytes), { code: "FL_RPC_MALFORMED", message: /CRC32/ });
});

test("headers beyond 16 bits are refused, not cut off", () => {
  assert.throws(() => boltProtocol.withAttachments(golden("v1 request"), [["big", "x".repeat(65_536)]]), {
    code: "FL_RPC_TOO_LARGE",
  });
});

test("first bytes tell bolt from HTTP, TLS and Dubbo", () => {
  for (const version of versions)
    assert.equal(boltProtocol.matches(Buffer.from(goldenFrames[`${version} request`], "hex")), true);
  for (const other of ["GET / HTTP/1.1", "PRI * HTTP/2.0", "\x16\x03\x01\x02\x00"]) {
    assert.equal(boltProtocol.matches(Buffer.from(other, "latin1")), false);
  }
  assert.equal(boltProtocol.matches(Buffer.from("dabbc2", "hex")), false);
  assert.equal(boltProtocol.matches(Buffer.of(1)), undefined);
});

test("bytes of any kind end in frames and calls, or in a FairleadError", () => {
  const seeds = Object.values(goldenFrames).map((hex) => Buffer.from(hex, "hex"));
  const mutations = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 5 });
  fc.assert(
    fc.property(
      fc.constantFrom(Buffer.alloc(0), ...seeds),
      fc.uint8Array({ maxLength: 80 }),
      mutations,
      (seed, noise, changes) => {
        const bytes = Buffer.concat([seed, noise]);
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
        try {
          new FrameCollector(boltProtocol).execute(bytes, (piece) => {
            const frame = boltProtocol.frameOf(piece);
            if (frame.kind === "request" || frame.kind === "one-way") {
              const call = boltProtocol.callOf(frame);
              assert(typeof call.method === "string" && call.attachments().length >= 0);
              boltProtocol.failureOf(frame, "timeout", "late");
            }
            if (frame.kind === "response") boltProtocol.outcomeOf(frame);
          });
        } catch (error) {
          assert(error instanceof FairleadError, String(error));
        }
      },
    ),
    { numRuns: 3000 },
  );
});
