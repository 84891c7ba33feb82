import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Bus } from "./bus.ts";
import { type BusHarness, eventually, freshName, rejectsWith } from "./bus-harness.ts";
import type { KeyValue, KeyValueWatch } from "./key-value.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : Buffer.from(value).toString());

/** A watcher that writes down what it is told, and keeps the view that a consumer would have. */
export class RecordingWatch {
  readonly log: string[] = [];
  readonly view = new Map<string, string>();
  readonly #watch: KeyValueWatch;
  restarts = 0;
  /** Throws at the next entry. */
  failNext = false;
  #last = 0;
  /** Keys that the snapshot under way has named; undefined: it is complete. */
  #named: Set<string> | undefined = new Set();

  constructor(keyValue: KeyValue) {
    this.#watch = keyValue.watch({
      entry: ({ key, value, sequence }) => {
        assert.ok(sequence > this.#last, `sequence ${sequence} came after ${this.#last}`);
        if (this.failNext) {
          this.failNext = false;
          throw new Error("the watcher fails");
        }
        this.#last = sequence;
        this.#named?.add(key);
        this.log.push(`${key}=${text(value) ?? "-"}`);
        if (value === undefined) this.view.delete(key);
        else this.view.set(key, text(value)!);
      },
      snapshotComplete: () => {
        this.log.push("complete");
        for (const key of this.view.keys()) if (this.#named?.has(key) === false) this.view.delete(key);
        this.#named = undefined;
      },
      restarted: () => {
        this.log.push("restarted");
        this.restarts++;
        this.#last = 0;
        this.#named = new Set();
      },
    });
  }

  async sees(...log: string[]): Promise<void> {
    await eventually(() => assert.deepEqual(this.log, log));
  }

  async stop(): Promise<void> {
    await this.#watch.stop();
  }
}

/** The part of the bus contract that is about buckets. */
export function describeKeyValueContract(makeHarness: () => Promise<BusHarness>): void {
  void describe("buckets", () => {
    let harness: BusHarness;
    let bus: Bus;
    let bucket: string;
    let keyValue: KeyValue;
    const withBucket = (title: string, body: () => Promise<void>) =>
      void test(title, async () => {
        harness = await makeHarness();
        try {
          bus = await harness.connect();
          bucket = freshName();
          keyValue = await bus.keyValue(bucket);
          await body();
        } finally {
          await harness.stop();
        }
      });

    withBucket("put, get, delete; a second bus sees the same bucket", async () => {
      const other = await (await harness.connect()).keyValue(bucket);
      assert.equal(await keyValue.get("a"), undefined);
      const first = await keyValue.put("a", bytes("1"));
      const second = await other.put("a", bytes("2"));
      assert.ok(second > first);
      assert.deepEqual({ ...(await keyValue.get("a")), value: "2" }, { key: "a", value: "2", sequence: second });
      assert.equal(text((await keyValue.get("a"))?.value), "2");
      await other.delete("a");
      assert.equal(await keyValue.get("a"), undefined);
      await other.delete("never-there");
      await keyValue.put("a", new Uint8Array());
      assert.equal((await other.get("a"))?.value?.length, 0);
    });

    withBucket("a write that is to follow another is made only where nothing came in between", async () => {
      const first = await keyValue.put("a", bytes("1"));
      const [second, third] = await Promise.all([
        keyValue.put("b", bytes("1"), { after: first }),
        keyValue.delete("a", { after: first + 1 }),
      ]);
      assert.deepEqual([second, third], [first + 1, first + 2]);
      const others = await (await (await harness.connect()).keyValue(bucket)).put("c", bytes("1"));
      await assert.rejects(keyValue.put("b", bytes("2"), { after: third }), rejectsWith("FL_BUS_CONFLICT"));
      await assert.rejects(keyValue.delete("b", { after: third }), rejectsWith("FL_BUS_CONFLICT"));
      assert.equal(text((await keyValue.get("b"))?.value), "1");
      await keyValue.put("b", bytes("2"), { after: others });
    });

    withBucket(
      "a write that is to be the first of its bucket is made only there, also where what was written is gone",
      async () => {
        const first = await keyValue.put("a", bytes("1"), { after: 0 });
        await assert.rejects(keyValue.put("b", bytes("1"), { after: 0 }), rejectsWith("FL_BUS_CONFLICT"));
        await keyValue.delete("a", { after: first });
        await assert.rejects(keyValue.put("b", bytes("1"), { after: 0 }), rejectsWith("FL_BUS_CONFLICT"));
        assert.equal(await keyValue.get("b"), undefined);
      },
    );

    withBucket("a snapshot says the sequence of the last write, also of one that deleted", async () => {
      const completed = async () =>
        await new Promise<number>((resolve) =>
          keyValue.watch({ entry: () => undefined, snapshotComplete: resolve, restarted: () => undefined }),
        );
      assert.equal(await completed(), 0);
      await keyValue.put("a", bytes("1"));
      const last = await keyValue.delete("a");
      assert.equal(await completed(), last);
      await keyValue.put("a", bytes("2"), { after: last });
    });

    withBucket("a value is copied on its way in and out", async () => {
      const value = bytes("abc");
      const putting = keyValue.put("a", value);
      value.fill(0);
      await putting;
      (await keyValue.get("a"))?.value?.fill(0);
      assert.equal(text((await keyValue.get("a"))?.value), "abc");
    });

    withBucket("keys: what is allowed works, what is not is refused", async () => {
      const watch = new RecordingWatch(keyValue);
      await watch.sees("complete");
      const good = ["A-z_09", "cds/outbound", "resource.Y2Rz_-==", "a.b.c", "k".repeat(1024)];
      for (const key of good) await keyValue.put(key, bytes("v"));
      for (const key of good) assert.equal((await keyValue.get(key))?.key, key);
      for (const bad of ["", ".a", "a.", "a..b", "a b", "a*", "a.>", "ä", "a\r\n", "k".repeat(1025)]) {
        await assert.rejects(keyValue.put(bad, bytes("v")), rejectsWith("FL_BUS_NAME_INVALID"));
        await assert.rejects(keyValue.get(bad), rejectsWith("FL_BUS_NAME_INVALID"));
        await assert.rejects(keyValue.delete(bad), rejectsWith("FL_BUS_NAME_INVALID"));
      }
      await watch.sees("complete", ...good.map((key) => `${key}=v`));
    });

    withBucket("a watch of an empty bucket completes at once and then sees each write in order", async () => {
      const watch = new RecordingWatch(keyValue);
      await watch.sees("complete");
      await keyValue.put("a", bytes("1"));
      await keyValue.put("b", bytes("1"));
      await keyValue.put("a", bytes("2"));
      await keyValue.delete("b");
      await watch.sees("complete", "a=1", "b=1", "a=2", "b=-");
    });

    withBucket("the snapshot has each living key's last value in order of the writes", async () => {
      for (const [key, value] of [
        ["a", "1"],
        ["b", "1"],
        ["gone", "1"],
        ["a", "2"],
      ] as const)
        await keyValue.put(key, bytes(value));
      await keyValue.delete("gone");
      const watch = new RecordingWatch(keyValue);
      await watch.sees("b=1", "a=2", "complete");
      await keyValue.put("gone", bytes("2"));
      await watch.sees("b=1", "a=2", "complete", "gone=2");
    });

    withBucket("a bucket whose only key was deleted completes at once", async () => {
      await keyValue.put("a", bytes("1"));
      await keyValue.delete("a");
      await new RecordingWatch(keyValue).sees("complete");
    });

    withBucket("writes while the snapshot is given are not lost", async () => {
      const keys = Array.from({ length: 300 }, (_, index) => `k${index}`);
      await Promise.all(keys.map((key) => keyValue.put(key, bytes("old"))));
      const watch = new RecordingWatch(keyValue);
      await Promise.all(keys.map((key) => keyValue.put(key, bytes("new"))));
      await eventually(() => assert.deepEqual(watch.view, new Map(keys.map((key) => [key, "new"]))));
      assert.equal(watch.restarts, 0);
      assert.equal(watch.log.filter((line) => line === "complete").length, 1);
    });

    withBucket("a watcher that throws gets a new snapshot", async () => {
      const watch = new RecordingWatch(keyValue);
      await watch.sees("complete");
      await keyValue.put("a", bytes("1"));
      await watch.sees("complete", "a=1");
      watch.failNext = true;
      await keyValue.put("b", bytes("1"));
      await watch.sees("complete", "a=1", "restarted", "a=1", "b=1", "complete");
    });

    withBucket("a watch goes on over a lost connection", async () => {
      const watch = new RecordingWatch(keyValue);
      await watch.sees("complete");
      await keyValue.put("a", bytes("1"));
      await watch.sees("complete", "a=1");
      await harness.disconnect();
      await eventually(() => assert.equal(bus.state, "disconnected"));
      await assert.rejects(keyValue.put("a", bytes("lost")), rejectsWith("FL_BUS_UNAVAILABLE"));
      await assert.rejects(keyValue.get("a"), rejectsWith("FL_BUS_UNAVAILABLE"));
      await harness.reconnect();
      await eventually(() => keyValue.put("b", bytes("2")));
      await eventually(() => assert.equal(watch.view.get("b"), "2"));
    });

    withBucket("writes around a lost connection are never silently missed", async () => {
      const writerBus = await harness.connect();
      const writer = await writerBus.keyValue(bucket);
      const watch = new RecordingWatch(keyValue);
      const keys = ["a", "b", "c", "d"];
      const enough = new AbortController();
      const writing = (async () => {
        for (let round = 0; !enough.signal.aborted; round++) {
          const key = keys[round % keys.length]!;
          // A write that is refused for want of a connection may have been made or not: `get` says so at the end.
          await (round % 7 === 6 ? writer.delete(key) : writer.put(key, bytes(`${round}`))).catch(
            rejectsWith("FL_BUS_UNAVAILABLE"),
          );
          await new Promise(setImmediate);
        }
      })();
      await eventually(() => assert.ok(watch.log.length > 20));
      await harness.disconnect();
      await eventually(() => assert.equal(bus.state, "disconnected"));
      const before = watch.log.length;
      await harness.reconnect({ loseWatches: true });
      await eventually(() => assert.ok(watch.log.length > before + 20));
      enough.abort();
      await writing;
      const truth = new Map<string, string>();
      for (const key of keys) {
        const entry = await writer.get(key);
        if (entry !== undefined) truth.set(key, text(entry.value)!);
      }
      await eventually(() => assert.deepEqual(watch.view, truth));
    });

    withBucket("a watch that begins without a connection begins with it", async () => {
      await keyValue.put("a", bytes("1"));
      await harness.disconnect();
      await eventually(() => assert.equal(bus.state, "disconnected"));
      const watch = new RecordingWatch(await bus.keyValue(bucket));
      await harness.reconnect();
      await watch.sees("a=1", "complete");
    });

    withBucket("a stopped watch is told nothing more", async () => {
      const watch = new RecordingWatch(keyValue);
      const other = new RecordingWatch(keyValue);
      await watch.sees("complete");
      await watch.stop();
      await keyValue.put("a", bytes("1"));
      await other.sees("complete", "a=1");
      assert.deepEqual(watch.log, ["complete"]);
    });

    withBucket("a value near the limit passes through put, get and watch; a larger one is refused", async () => {
      const watch = new RecordingWatch(keyValue);
      await keyValue.put("a", bytes("x".repeat(harness.maxBytes)));
      assert.equal((await keyValue.get("a"))?.value?.length, harness.maxBytes);
      await eventually(() => assert.equal(watch.view.get("a")?.length, harness.maxBytes));
      await assert.rejects(
        keyValue.put("b", new Uint8Array(harness.maxBytes + 1)),
        rejectsWith("FL_BUS_MESSAGE_TOO_LARGE"),
      );
    });
  });
}
