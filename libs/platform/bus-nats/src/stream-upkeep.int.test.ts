import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Bus } from "@fairlead/bus";
import { eventually, freshName, RecordingWatch, rejectsWith } from "@fairlead/bus/contract";
import { createLogger } from "@fairlead/logging";
import { startTestNats, type TestNats } from "@fairlead/testing-servers";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { connectNats } from "./index.ts";
import { NatsSession } from "./nats-session.ts";
import { bucketStream, messageStream } from "./streams.ts";
import { sweepTombstones } from "./tombstone-sweep.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const logger = createLogger({ service: "test", level: "silent" });

void describe("streams and buckets over time", () => {
  let nats: TestNats;
  let bus: Bus;
  let operator: NatsConnection;
  let session: NatsSession;
  before(async () => {
    nats = await startTestNats();
    bus = await connectNats({ servers: nats.url, name: "test", logger, publishTimeoutMs: 1000 });
    operator = await connect({ servers: `127.0.0.1:${nats.port}` });
    session = await NatsSession.open(operator, 2000);
  });
  after(async () => {
    await bus.close();
    await operator.close();
    await nats.stop();
  });

  void test("a stream and a bucket that somebody removes while all are connected are made again, and readers notice", async () => {
    const subject = `fairlead.v1.${freshName()}`;
    const revisions: number[] = [];
    const subscription = bus.subscribe(subject, ({ revision }) => void revisions.push(revision), { deliver: "all" });
    await subscription.ready;
    await bus.publish({ subject, data: bytes(""), revision: 1 });
    const bucket = freshName();
    const keyValue = await bus.keyValue(bucket);
    const watch = new RecordingWatch(keyValue);
    await watch.sees("complete");
    await keyValue.put("a", bytes("1"));
    await eventually(() => assert.deepEqual([...revisions, ...watch.view.keys()], [1, "a"]));

    await session.manager.streams.delete(messageStream.name);
    await session.manager.streams.delete(bucketStream(bucket).name);
    await keyValue.put("b", bytes("2"));
    await bus.publish({ subject, data: bytes(""), revision: 2 });
    await eventually(() => assert.deepEqual(watch.view, new Map([["b", "2"]])));
    await eventually(() => assert.deepEqual(revisions, [1, 2]));
    assert.equal(watch.restarts, 1);
    await subscription.stop();
    await watch.stop();
  });

  void test("a bucket that is removed is made again by the next write or read, also when nobody watches it", async () => {
    const bucket = freshName();
    const keyValue = await bus.keyValue(bucket);
    await keyValue.put("a", bytes("1"));
    await session.manager.streams.delete(bucketStream(bucket).name);
    await keyValue.put("b", bytes("2"));
    assert.equal((await keyValue.get("b"))?.key, "b");
    await session.manager.streams.delete(bucketStream(bucket).name);
    assert.equal(await keyValue.get("b"), undefined);
  });

  void test("what was refused for want of an answer is not sent later", async () => {
    const subject = `fairlead.v1.${freshName()}`;
    const revisions: number[] = [];
    await bus.subscribe(subject, ({ revision }) => void revisions.push(revision), { deliver: "all" }).ready;
    nats.pause();
    try {
      // The first is on the wire when the server hangs; the second waits for it.
      await Promise.all(
        [1, 2].map((revision) =>
          assert.rejects(bus.publish({ subject, data: bytes(""), revision }), rejectsWith("FL_BUS_UNAVAILABLE")),
        ),
      );
    } finally {
      nats.resume();
    }
    await eventually(() => bus.publish({ subject, data: bytes(""), revision: 3 }));
    await eventually(() => assert.equal(revisions.at(-1), 3));
    assert.ok(!revisions.includes(2));
  });

  void test("old deletions are removed from the bucket, and nothing that was written since", async () => {
    const bucket = freshName();
    const plan = bucketStream(bucket);
    const keyValue = await bus.keyValue(bucket);
    for (const key of ["gone", "back", "kept"]) await keyValue.put(key, bytes("1"));
    await keyValue.delete("gone");
    await keyValue.delete("back");
    await keyValue.put("back", bytes("2"));
    assert.equal(await sweepTombstones(session, plan, { olderThanMs: 3_600_000 }), 0, "a young deletion stays");
    assert.equal(await sweepTombstones(session, plan, { olderThanMs: 0 }), 1);
    assert.equal(await sweepTombstones(session, plan, { olderThanMs: 0 }), 0);
    assert.equal((await session.manager.streams.info(plan.name)).state.messages, 2);
    const watch = new RecordingWatch(keyValue);
    await watch.sees("kept=1", "back=2", "complete");
    await watch.stop();
  });

  void test("a message of another program, without our headers, is about no revision", async () => {
    const subject = `fairlead.v1.${freshName()}`;
    const seen: unknown[] = [];
    await bus.subscribe(
      subject,
      ({ revision, traceparent, data }) => void seen.push([revision, traceparent, data.length]),
    ).ready;
    operator.publish(subject, bytes("abc"));
    await eventually(() => assert.deepEqual(seen, [[0, undefined, 3]]));
  });
});
