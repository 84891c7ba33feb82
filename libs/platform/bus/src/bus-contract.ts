import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Bus, BusMessage } from "./bus.ts";
import { activeSockets, type BusHarness, eventually, freshName, rejectsWith } from "./bus-harness.ts";
import { describeKeyValueContract } from "./key-value-contract.ts";
import { RevisionGap } from "./revision-gap.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Every adapter of the bus passes this suite: `describeBusContract("nats", makeHarness)` in a test file of its own. */
export function describeBusContract(name: string, makeHarness: () => Promise<BusHarness>): void {
  void describe(`the bus contract: ${name}`, () => {
    let harness: BusHarness;
    let bus: Bus;
    let subject: string;
    const message = (revision: number, further: Partial<BusMessage> = {}): BusMessage => ({
      subject,
      data: bytes(`m${revision}`),
      revision,
      ...further,
    });
    const withHarness = (title: string, body: () => Promise<void>) =>
      void test(title, async () => {
        harness = await makeHarness();
        try {
          bus = await harness.connect();
          subject = `fairlead.v1.contract.${freshName()}`;
          await body();
        } finally {
          await harness.stop();
        }
      });
    /** Collects what a subscription gets. */
    const collect = async (deliver: "all" | "new", of: Bus = bus) => {
      const received: BusMessage[] = [];
      const subscription = of.subscribe(subject, (got) => void received.push(got), { deliver });
      await subscription.ready;
      return { received, revisions: () => received.map((got) => got.revision), stop: () => subscription.stop() };
    };

    let socketsBefore = 0;
    before(() => (socketsBefore = activeSockets()));
    after(() => eventually(() => assert.equal(activeSockets(), socketsBefore, "a closed bus leaves no socket behind")));

    withHarness("a message arrives whole at every subscriber of its subject, and nowhere else", async () => {
      const other = await harness.connect();
      const [mine, theirs] = [await collect("new"), await collect("new", other)];
      const elsewhere: BusMessage[] = [];
      await other.subscribe(`${subject}.more`, (got) => void elsewhere.push(got)).ready;
      const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
      await bus.publish(message(7, { traceparent }));
      await bus.publish({ subject, data: new Uint8Array(), revision: 0 });
      for (const { received } of [mine, theirs]) {
        await eventually(() => assert.equal(received.length, 2));
        assert.deepEqual(
          { ...received[0], data: Buffer.from(received[0]!.data).toString() },
          { ...message(7, { traceparent }), data: "m7" },
        );
        assert.deepEqual([received[1]!.data.length, received[1]!.revision], [0, 0]);
      }
      assert.deepEqual(elsewhere, []);
    });

    withHarness("handlers run later than the publisher's call, and share no bytes with it or each other", async () => {
      const seen: string[] = [];
      const handler = (got: BusMessage) => {
        seen.push(Buffer.from(got.data).toString());
        got.data.fill(0);
      };
      await bus.subscribe(subject, handler).ready;
      await bus.subscribe(subject, handler).ready;
      const data = bytes("abc");
      const published = bus.publish(message(1, { data }));
      data.fill(1);
      assert.deepEqual(seen, []);
      await published;
      await eventually(() => assert.deepEqual(seen, ["abc", "abc"]));
    });

    withHarness("messages of one publisher keep their order, also when none is awaited", async () => {
      const { revisions } = await collect("new");
      const wanted = Array.from({ length: 300 }, (_, index) => index + 1);
      await Promise.all(wanted.map((revision) => bus.publish(message(revision))));
      await eventually(() => assert.deepEqual(revisions(), wanted));
    });

    withHarness("`all` gives what was retained and then what comes; `new` only what comes", async () => {
      for (const revision of [1, 2, 3]) await bus.publish(message(revision));
      const all = await collect("all");
      const fresh = await collect("new");
      await bus.publish(message(4));
      await eventually(() => assert.deepEqual(all.revisions(), [1, 2, 3, 4]));
      await eventually(() => assert.deepEqual(fresh.revisions(), [4]));
    });

    withHarness("a subject retains its last 1000 messages", async () => {
      const wanted = Array.from({ length: 1005 }, (_, index) => index + 1);
      // In parts: publishing has a time-out, and those before take of it.
      for (let from = 0; from < wanted.length; from += 100) {
        await Promise.all(wanted.slice(from, from + 100).map((revision) => bus.publish(message(revision))));
      }
      const { revisions } = await collect("all");
      await eventually(() => assert.deepEqual(revisions(), wanted.slice(5)));
    });

    withHarness("the next message waits until the handler has settled", async () => {
      const log: string[] = [];
      await bus.subscribe(subject, async ({ revision }) => {
        log.push(`begin ${revision}`);
        await pause(5);
        log.push(`end ${revision}`);
      }).ready;
      await Promise.all([bus.publish(message(1)), bus.publish(message(2))]);
      await eventually(() => assert.deepEqual(log, ["begin 1", "end 1", "begin 2", "end 2"]));
    });

    withHarness("a handler that throws gets the message again before the next one", async () => {
      const calls: number[] = [];
      await bus.subscribe(subject, ({ revision }) => {
        calls.push(revision);
        if (calls.length < 3) throw new Error("not yet");
      }).ready;
      await Promise.all([bus.publish(message(1)), bus.publish(message(2))]);
      await eventually(() => assert.deepEqual(calls, [1, 1, 1, 2]));
    });

    withHarness("a message that no call takes is dropped after five more calls, and the next one comes", async () => {
      const calls: number[] = [];
      await bus.subscribe(subject, ({ revision }) => {
        calls.push(revision);
        if (revision === 1) throw new Error("never");
      }).ready;
      await Promise.all([bus.publish(message(1)), bus.publish(message(2))]);
      await eventually(() => assert.deepEqual(calls, [1, 1, 1, 1, 1, 1, 2]));
    });

    withHarness("no handler runs after stop(), and other subscriptions go on", async () => {
      const stopped = await collect("new");
      const other = await collect("new");
      await stopped.stop();
      await bus.publish(message(1));
      await eventually(() => assert.deepEqual(other.revisions(), [1]));
      assert.deepEqual(stopped.revisions(), []);
    });

    withHarness("a reader sees by the revisions what it missed", async () => {
      const gap = new RevisionGap();
      const steps: string[] = [];
      await bus.subscribe(subject, ({ revision }) => void steps.push(gap.observe(revision))).ready;
      for (const revision of [5, 6, 6, 9, 8, 10]) await bus.publish(message(revision));
      await eventually(() => assert.deepEqual(steps, ["next", "next", "duplicate", "gap", "late", "next"]));
    });

    withHarness(
      "without a connection publish rejects in time; after it all goes on and nothing is missed",
      async () => {
        const states: string[] = [];
        bus.onState(() => {
          throw new Error("a listener's own failure is not the bus's");
        });
        const endListening = bus.onState((state) => states.push(state));
        const { revisions } = await collect("all");
        await bus.publish(message(1));
        await harness.disconnect();
        await eventually(() => assert.equal(bus.state, "disconnected"));
        const began = Date.now();
        await assert.rejects(bus.publish(message(2)), rejectsWith("FL_BUS_UNAVAILABLE"));
        assert.ok(Date.now() - began < 4000, `took ${Date.now() - began} ms`);
        await harness.reconnect({ loseWatches: true });
        await eventually(() => bus.publish(message(3)));
        await eventually(() => assert.deepEqual([...new Set(revisions())], [1, 3]));
        assert.equal(bus.state, "connected");
        assert.deepEqual(states.slice(-2), ["disconnected", "connected"]);
        endListening();
      },
    );

    withHarness("a message near the limit passes; a larger one is refused with its size", async () => {
      const { received } = await collect("new");
      await bus.publish(message(1, { data: new Uint8Array(harness.maxBytes).fill(7) }));
      await assert.rejects(
        bus.publish(message(2, { data: new Uint8Array(harness.maxBytes + 1) })),
        rejectsWith("FL_BUS_MESSAGE_TOO_LARGE"),
      );
      await eventually(() =>
        assert.deepEqual(
          received.map((got) => [got.data.length, got.data.at(-1)]),
          [[harness.maxBytes, 7]],
        ),
      );
    });

    withHarness("subjects and buckets that could mean something else are refused", async () => {
      for (const bad of [
        "",
        "fairlead.v1.",
        "fairlead.v1.>",
        "fairlead.v1.*",
        "fairlead.v1..a",
        "other.v1.a",
        "fairlead.v1.a b",
        `fairlead.v1.${"a".repeat(300)}`,
      ]) {
        await assert.rejects(
          bus.publish({ subject: bad, data: bytes(""), revision: 0 }),
          rejectsWith("FL_BUS_NAME_INVALID"),
        );
        assert.throws(() => bus.subscribe(bad, () => undefined), rejectsWith("FL_BUS_NAME_INVALID"));
      }
      for (const bad of ["", "a.b", "a b", "a>", "a".repeat(65)])
        await assert.rejects(bus.keyValue(bad), rejectsWith("FL_BUS_NAME_INVALID"));
    });

    withHarness("a closed bus refuses all, and calls no handler", async () => {
      const { revisions } = await collect("all");
      const keyValue = await bus.keyValue(freshName());
      await bus.close();
      await bus.close();
      assert.equal(bus.state, "closed");
      await assert.rejects(bus.publish(message(1)), rejectsWith("FL_BUS_CLOSED"));
      await assert.rejects(keyValue.put("a", bytes("")), rejectsWith("FL_BUS_CLOSED"));
      await assert.rejects(bus.keyValue("x"), rejectsWith("FL_BUS_CLOSED"));
      assert.throws(() => bus.subscribe(subject, () => undefined), rejectsWith("FL_BUS_CLOSED"));
      assert.throws(
        () => keyValue.watch({ entry() {}, snapshotComplete() {}, restarted() {} }),
        rejectsWith("FL_BUS_CLOSED"),
      );
      assert.deepEqual(revisions(), []);
    });

    withHarness("close() while disconnected returns in time", async () => {
      await collect("all");
      await harness.disconnect();
      await eventually(() => assert.equal(bus.state, "disconnected"));
      const publishing = assert.rejects(bus.publish(message(1)));
      const began = Date.now();
      await bus.close();
      assert.ok(Date.now() - began < 5000, `took ${Date.now() - began} ms`);
      await publishing;
      await harness.reconnect();
    });

    describeKeyValueContract(makeHarness);
  });
}
