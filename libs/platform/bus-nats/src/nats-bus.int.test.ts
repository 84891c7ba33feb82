import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Bus } from "@fairlead/bus";
import { describeBusContract, eventually, freshName, RecordingWatch, rejectsWith } from "@fairlead/bus/contract";
import { createLogger } from "@fairlead/logging";
import { startTestNats, type TestNats } from "@fairlead/testing-servers";
import { connectNats } from "./index.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const lines: string[] = [];
const logger = createLogger({
  service: "test",
  level: "debug",
  destination: { write: (line) => void lines.push(line) },
});
/** nats-server's default max_payload, less what is kept for headers. */
const maxBytes = 1024 * 1024 - 4096;

let nats: TestNats;
before(async () => {
  nats = await startTestNats();
});
after(() => nats.stop());

async function connect(): Promise<Bus> {
  return await connectNats({
    servers: nats.url,
    name: "test",
    logger,
    publishTimeoutMs: 1000,
    redeliveryPausesMs: [10, 10, 10, 10, 10],
  });
}

describeBusContract("nats", async () => {
  const buses: Bus[] = [];
  return {
    maxBytes,
    connect: async () => {
      const bus = await connect();
      buses.push(bus);
      return bus;
    },
    disconnect: () => nats.kill(),
    reconnect: () => nats.restart(),
    stop: async () => {
      await Promise.all(buses.map((bus) => bus.close()));
    },
  };
});

void describe("nats", () => {
  let bus: Bus;
  const withBus = (title: string, body: () => Promise<void>) =>
    void test(title, async () => {
      bus = await connect();
      try {
        await body();
      } finally {
        nats.resume();
        await bus.close();
      }
    });

  withBus("a server killed with kill -9 in the middle of many writes: the watch ends with the truth", async () => {
    const keyValue = await bus.keyValue(freshName());
    const watch = new RecordingWatch(keyValue);
    await watch.sees("complete");
    const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);
    const enough = new AbortController();
    const writing = (async () => {
      for (let round = 0; !enough.signal.aborted; round++) {
        await Promise.all(
          keys.map((key) => keyValue.put(key, bytes(`${round}`)).catch(rejectsWith("FL_BUS_UNAVAILABLE"))),
        );
      }
    })();
    for (let crash = 0; crash < 3; crash++) {
      const seen = watch.log.length;
      await eventually(() => assert.ok(watch.log.length > seen + 100));
      await nats.restart();
    }
    enough.abort();
    await writing;
    const truth = new Map<string, string>();
    for (const key of keys) truth.set(key, Buffer.from((await keyValue.get(key))!.value!).toString());
    await eventually(() => assert.deepEqual(watch.view, truth));
    assert.equal(watch.restarts, 0, "a server that kept its data lets the watch go on where it broke off");
  });

  withBus(
    "a server that lost its data: the bucket and the stream are made again, the watch starts with an empty snapshot",
    async () => {
      const subject = `fairlead.v1.${freshName()}`;
      const revisions: number[] = [];
      await bus.subscribe(subject, ({ revision }) => void revisions.push(revision), { deliver: "all" }).ready;
      for (const revision of [1, 2, 3]) await bus.publish({ subject, data: bytes(""), revision });
      const keyValue = await bus.keyValue(freshName());
      const watch = new RecordingWatch(keyValue);
      await watch.sees("complete");
      await keyValue.put("a", bytes("1"));
      await keyValue.put("b", bytes("1"));
      await watch.sees("complete", "a=1", "b=1");
      await nats.restart({ wipe: true });
      await eventually(() => keyValue.put("c", bytes("1")));
      await eventually(() => bus.publish({ subject, data: bytes(""), revision: 4 }));
      await eventually(() => assert.deepEqual(watch.view, new Map([["c", "1"]])));
      assert.equal(watch.restarts, 1);
      await eventually(() => assert.deepEqual([...new Set(revisions)], [1, 2, 3, 4]));
    },
  );

  withBus(
    "a server that hangs: publish rejects in time, the connection is given up, and all goes on when it is back",
    async () => {
      const subject = `fairlead.v1.${freshName()}`;
      const revisions: number[] = [];
      await bus.subscribe(subject, ({ revision }) => void revisions.push(revision), { deliver: "all" }).ready;
      nats.pause();
      const began = Date.now();
      await assert.rejects(bus.publish({ subject, data: bytes(""), revision: 1 }), rejectsWith("FL_BUS_UNAVAILABLE"));
      assert.ok(Date.now() - began < 1500, `took ${Date.now() - began} ms`);
      await eventually(() => assert.equal(bus.state, "disconnected"));
      nats.resume();
      await eventually(() => bus.publish({ subject, data: bytes(""), revision: 2 }));
      await eventually(() => assert.ok(revisions.includes(2)));
    },
  );

  test("a bus made before its server exists begins when the server does", async () => {
    const late = await startTestNats();
    await late.kill();
    const early = await connectNats({ servers: late.url, name: "early", logger, publishTimeoutMs: 200 });
    try {
      assert.equal(early.state, "disconnected");
      const watch = new RecordingWatch(await early.keyValue("b"));
      const revisions: number[] = [];
      const subscription = early.subscribe("fairlead.v1.a", ({ revision }) => void revisions.push(revision));
      await assert.rejects(
        early.publish({ subject: "fairlead.v1.a", data: bytes(""), revision: 1 }),
        rejectsWith("FL_BUS_UNAVAILABLE"),
      );
      await late.restart();
      await subscription.ready;
      await early.publish({ subject: "fairlead.v1.a", data: bytes(""), revision: 2 });
      await eventually(() => assert.deepEqual(revisions, [2]));
      await watch.sees("complete");
    } finally {
      await early.close();
      await late.stop();
    }
  });

  test("many buses that need the same stream and bucket at once make it once", async () => {
    const fresh = await startTestNats();
    const buses = await Promise.all(
      Array.from({ length: 8 }, () => connectNats({ servers: fresh.url, name: "many", logger })),
    );
    try {
      await Promise.all(
        buses.map(async (each, index) => {
          await each.publish({ subject: "fairlead.v1.a", data: bytes(""), revision: index });
          await (await each.keyValue("b")).put(`k${index}`, bytes("1"));
        }),
      );
    } finally {
      await Promise.all(buses.map((each) => each.close()));
      await fresh.stop();
    }
  });

  test("the login of the URL is used, and stands in no log line and no error", async () => {
    const password = "s3cr3t/with@odd:signs";
    const guarded = await startTestNats({ login: { user: "mesh", password } });
    const right = await connectNats({ servers: guarded.url, name: "right", logger });
    const wrong = await connectNats({
      servers: guarded.url.replace("mesh", "other"),
      name: "wrong",
      logger,
      publishTimeoutMs: 500,
    });
    const message = { subject: "fairlead.v1.a", data: bytes(""), revision: 1 };
    try {
      await right.publish(message);
      const error: unknown = await wrong.publish(message).catch((caught: unknown) => caught);
      assert.ok(rejectsWith("FL_BUS_UNAVAILABLE")(error));
      assert.ok(error instanceof Error);
      const everything = [...lines, error.message, JSON.stringify(error), error.stack].join("\n");
      assert.match(everything, /cannot connect to NATS/);
      for (const secret of [password, encodeURIComponent(password)]) assert.ok(!everything.includes(secret));
    } finally {
      await Promise.all([right.close(), wrong.close()]);
      await guarded.stop();
    }
  });
});
