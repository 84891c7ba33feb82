import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import {
  ConfigPushedSchema,
  GatewayStatusSchema,
  PendingProxy_State,
  type PendingProxySchema,
} from "@fairlead/fairlead-api";
import type { ConvergenceReport } from "@fairlead/registration";
import { ConvergenceTracker } from "./convergence-tracker.ts";

const { SENT, BLOCKED, NACKED } = PendingProxy_State;
const start = 1_700_000_000_000;
let tracker: ConvergenceTracker;
let sequence = 0;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: start });
  tracker = new ConvergenceTracker({ now: Date.now });
  sequence = 0;
});
afterEach(() => mock.timers.reset());

type Pending = MessageInitShape<typeof PendingProxySchema>;

function pending(
  nodeId: string,
  state: PendingProxy_State,
  first: number,
  last: number,
  further: Pending = {},
): Pending {
  return {
    nodeId,
    typeUrl: typeUrls.endpoint,
    state,
    firstRevision: BigInt(first),
    lastRevision: BigInt(last),
    sinceMs: BigInt(Date.now()),
    ...further,
  };
}

function status(gatewayId: string, revision: number, further: MessageInitShape<typeof GatewayStatusSchema> = {}): void {
  tracker.gatewayStatus(
    create(GatewayStatusSchema, {
      gatewayId,
      revision: BigInt(revision),
      sequence: BigInt(++sequence),
      connected: 1,
      ...further,
    }),
  );
}

function pushed(revision: number, further: MessageInitShape<typeof ConfigPushedSchema> = {}): void {
  tracker.configPushed(
    create(ConfigPushedSchema, { revision: BigInt(revision), previousRevision: BigInt(revision - 1), ...further }),
  );
}

/** What a promise has settled to by now; undefined while it is pending. */
async function settled<T>(promise: Promise<T>): Promise<T | undefined> {
  return await Promise.race([promise, new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)))]);
}

const words = ({ missing }: ConvergenceReport) => missing.map(({ node, type, reason }) => [node, type, reason]);

const rows: readonly { title: string; events: () => void; missing: string[][] }[] = [
  {
    title: "nothing was heard at all",
    events: () => undefined,
    missing: [
      ["config-compiler", "", "config-compiler has not compiled revision 42 yet (nothing was heard of it)"],
      ["ads-gateway", "", "no ads-gateway is connected"],
    ],
  },
  {
    title: "compiled, and no gateway",
    events: () => pushed(42),
    missing: [["ads-gateway", "", "no ads-gateway is connected"]],
  },
  {
    title: "not compiled yet",
    events: () => (pushed(41), status("x", 41)),
    missing: [
      ["config-compiler", "", "config-compiler has not compiled revision 42 yet (it is at 41)"],
      ["gateway:x", "", "gateway:x is at revision 41"],
    ],
  },
  {
    title: "one gateway of two is behind",
    events: () => (pushed(42), status("x", 41), status("y", 42)),
    missing: [["gateway:x", "", "gateway:x is at revision 41"]],
  },
  {
    title: "compiled and applied everywhere",
    events: () => (pushed(42), status("x", 42), status("y", 43)),
    missing: [],
  },
  {
    title: "a merged compile skipped the number",
    events: () => (pushed(45, { previousRevision: 40n }), status("x", 45)),
    missing: [],
  },
  {
    title: "a proxy has not ACKed",
    events: () => (
      pushed(42),
      status("x", 42, { pending: [pending("n1", SENT, 42, 42, { sinceMs: BigInt(start - 3100) })] })
    ),
    missing: [["n1", "eds", "sent, not ACKed for 3.1 s"]],
  },
  {
    title: "a range covers the revision",
    events: () => (pushed(42), status("x", 50, { pending: [pending("n1", BLOCKED, 40, 50)] })),
    missing: [["n1", "eds", "not sent for 0.0 s: an earlier response is not ACKed"]],
  },
  {
    title: "the gateway names what a response is blocked by",
    events: () => (pushed(42), status("x", 42, { pending: [pending("*", BLOCKED, 42, 42, { detail: "7 more" })] })),
    missing: [["*", "eds", "not sent for 0.0 s: 7 more"]],
  },
  {
    title: "a proxy refused it, and another type of it too",
    events: () => (
      pushed(42),
      status("x", 42, {
        pending: [
          pending("n1", NACKED, 42, 42, { detail: "no such cluster", typeUrl: typeUrls.route }),
          pending("n1", NACKED, 42, 42, { detail: "x".repeat(5000), typeUrl: "other.Type" }),
        ],
      })
    ),
    missing: [
      ["n1", "rds", "NACKed: no such cluster"],
      ["n1", "other.Type", `NACKed: ${"x".repeat(500)}`],
    ],
  },
  {
    title: "an older NACK and a newer change do not hold it back",
    events: () => (
      pushed(44),
      status("x", 44, { pending: [pending("n1", NACKED, 30, 41), pending("n2", SENT, 43, 44)] })
    ),
    missing: [],
  },
  {
    title: "a late status, with a smaller sequence, changes nothing",
    events: () => (pushed(42), status("x", 42), status("x", 41, { sequence: 1n })),
    missing: [],
  },
  {
    title: "a gateway that leaves is forgotten at once, and what it said before is not believed when it comes late",
    events: () => (
      pushed(42),
      status("x", 41),
      status("y", 42),
      status("x", 41, { leaving: true, sequence: 9n }),
      status("x", 41, { sequence: 8n })
    ),
    missing: [],
  },
  {
    title: "a gateway without an id is no gateway",
    events: () => (pushed(42), status("", 42)),
    missing: [["ads-gateway", "", "no ads-gateway is connected"]],
  },
  {
    title: "a clock ahead of ours gives no negative time",
    events: () => (
      pushed(42),
      status("x", 42, { pending: [pending("n1", SENT, 42, 42, { sinceMs: BigInt(start + 9000) })] })
    ),
    missing: [["n1", "eds", "sent, not ACKed for 0.0 s"]],
  },
];

void describe("report(42)", () => {
  for (const { title, events, missing } of rows) {
    void test(title, () => {
      events();
      const report = tracker.report(42);
      assert.deepEqual(words(report), missing);
      assert.equal(report.converged, missing.length === 0);
      assert.equal(report.revision, 42);
    });
  }

  void test("counts the proxies of all live gateways", () => {
    status("x", 1, { connected: 3 });
    status("y", 1, { connected: 4 });
    assert.equal(tracker.report(42).proxies, 7);
  });
});

void describe("what was rejected", () => {
  const object = (key: string) => ({
    object: { kind: "policy", key, file: "a.yaml", line: 3 },
    code: "FL_X",
    message: `${key} is wrong`,
  });
  const keys = (revision: number) => tracker.report(revision).rejected.map(({ key }) => key);

  void test("belongs to the compile that first covered the revision, in whatever order the messages come", () => {
    pushed(12, { previousRevision: 10n, rejected: [object("late")] });
    pushed(10, { previousRevision: 7n, rejected: [object("first")] });
    pushed(10, { previousRevision: 0n, rejected: [object("again, after a restart")] });
    assert.deepEqual([7, 8, 9, 10, 11, 12, 13].map(keys), [
      [],
      ["first"],
      ["first"],
      ["first"],
      ["late"],
      ["late"],
      [],
    ]);
    assert.deepEqual(tracker.report(9).rejected, [
      {
        kind: "policy",
        key: "first",
        file: "a.yaml",
        line: 3,
        code: "FL_X",
        message: "first is wrong",
        already: false,
      },
    ]);
  });

  void test("is told from what was rejected before, also by a compiler that has just begun and names all of it", () => {
    const already = (revision: number) =>
      tracker.report(revision).rejected.map((one) => `${one.key} ${one.already ? "as before" : "newly"}`);
    pushed(10, { rejected: [object("a")] });
    pushed(11, { rejected: [object("a"), object("b")] });
    pushed(12);
    pushed(13, { rejected: [object("a")] });
    pushed(14);
    pushed(15, { previousRevision: 0n, rejected: [object("b"), object("c")] });
    assert.deepEqual([10, 11, 13, 15].map(already), [
      ["a newly"],
      ["a as before", "b newly"],
      ["a newly"],
      ["b as before", "c newly"],
    ]);
  });

  void test("is forgotten after 1000 compiles, and cut off at 100 objects", () => {
    for (let revision = 1; revision <= 1001; revision++)
      pushed(revision, { rejected: Array.from({ length: 101 }, () => object(`${revision}`)) });
    assert.equal(keys(1).length, 0);
    assert.equal(keys(2).length, 100);
  });
});

void describe("wait", () => {
  void test("answers at once when it is so already, and as soon as it becomes so", async () => {
    pushed(42);
    const waiting = tracker.wait(42, 10_000);
    assert.equal(await settled(waiting), undefined);
    status("x", 42, { pending: [pending("n1", SENT, 42, 42)] });
    assert.equal(await settled(waiting), undefined);
    mock.timers.tick(200);
    status("x", 42);
    assert.equal((await settled(waiting))?.converged, true);
    assert.equal((await settled(tracker.wait(42, 10_000)))?.converged, true);
  });

  void test("a gateway that fell silent holds nothing back after 5 s", async () => {
    pushed(42);
    status("silent", 41);
    mock.timers.tick(1000);
    status("x", 42);
    const waiting = tracker.wait(42, 60_000);
    mock.timers.tick(3999);
    assert.equal(await settled(waiting), undefined);
    status("x", 42);
    mock.timers.tick(1);
    assert.equal((await settled(waiting))?.converged, true);
    assert.deepEqual(
      tracker.gateways().map(({ id }) => id),
      ["x"],
    );
  });

  void test("a gateway that leaves holds nothing back", async () => {
    pushed(42);
    status("old", 41);
    status("x", 42);
    const waiting = tracker.wait(42, 60_000);
    status("old", 41, { leaving: true });
    assert.equal((await settled(waiting))?.converged, true);
  });

  void test("where config.pushed was lost, a gateway that had the revision for 2 s says that it was compiled", async () => {
    status("x", 42);
    const waiting = tracker.wait(42, 60_000);
    mock.timers.tick(1000);
    status("x", 42);
    mock.timers.tick(999);
    assert.equal(await settled(waiting), undefined);
    mock.timers.tick(1);
    assert.equal((await settled(waiting))?.converged, true);
  });

  void test("at the time-out it says who is missing, and for how long", async () => {
    pushed(42);
    status("x", 41);
    const waiting = tracker.wait(42, 3000);
    mock.timers.tick(3000);
    const report = await waiting;
    assert.equal(report.converged, false);
    assert.deepEqual(report.missing, [
      { node: "gateway:x", type: "", reason: "gateway:x is at revision 41", sinceMs: 3000 },
    ]);
  });

  void test("ends when nobody is interested any more", async () => {
    const interest = new AbortController();
    const waiting = tracker.wait(42, 60_000, interest.signal);
    interest.abort();
    assert.equal((await settled(waiting))?.converged, false);
    assert.equal((await settled(tracker.wait(42, 60_000, interest.signal)))?.converged, false);
  });

  void test("no more than 10000 wait: further ones are told at once how far it has got", async () => {
    const waiting = Array.from({ length: 10_000 }, () => tracker.wait(42, 60_000));
    assert.equal((await settled(tracker.wait(42, 60_000)))?.converged, false);
    pushed(42);
    status("x", 42);
    assert.ok((await Promise.all(waiting)).every(({ converged }) => converged));
    const further = tracker.wait(43, 60_000);
    assert.equal(await settled(further), undefined);
    mock.timers.tick(60_000);
    await further;
  });
});

describe("a revision that a proxy has refused", () => {
  const refused = () => status("x", 42, { pending: [pending("n1", NACKED, 42, 42, { detail: "no" })] });

  test("is answered once nothing else has been missing for two seconds", async () => {
    pushed(42);
    status("x", 42, { pending: [pending("n1", NACKED, 42, 42), pending("n2", SENT, 42, 42)] });
    const waiting = tracker.wait(42, 60_000);
    mock.timers.tick(1500);
    refused();
    mock.timers.tick(1999);
    assert.equal(await settled(waiting), undefined);
    mock.timers.tick(1);
    assert.deepEqual(words((await settled(waiting))!), [["n1", "eds", "NACKed: no"]]);
  });

  test("is waited for again when somebody else is missing in between", async () => {
    pushed(42);
    refused();
    const waiting = tracker.wait(42, 60_000);
    mock.timers.tick(1500);
    status("x", 42, { pending: [pending("n1", NACKED, 42, 42), pending("n2", SENT, 42, 42)] });
    refused();
    mock.timers.tick(1500);
    assert.equal(await settled(waiting), undefined);
    mock.timers.tick(500);
    assert.equal((await settled(waiting))?.converged, false);
  });

  test("is not answered while a gateway does not have it", async () => {
    pushed(42);
    refused();
    status("y", 41);
    const waiting = tracker.wait(42, 4000);
    for (let second = 0; second < 3; second++) {
      mock.timers.tick(1000);
      refused();
      status("y", 41);
    }
    assert.equal(await settled(waiting), undefined);
  });
});

describe("registered proxies that are connected to no gateway", () => {
  const leaseAgo = (id: string, renewedAgoMs: number) => [{ id, renewedAgoMs }];
  const absentIds = (proxies: ReturnType<typeof leaseAgo>, renewalDueMs?: number) =>
    tracker.absent(proxies, renewalDueMs).map(({ node }) => node);

  test("one that is connected to any of them is not absent, also where its gateway does not repeat the ids", () => {
    status("g1", 1, { connectedNodes: ["n1"] });
    status("g2", 1, { connectedNodes: [] });
    status("g1", 2, { connectedNodesUnchanged: true });
    assert.deepEqual(absentIds(leaseAgo("n1", 0)), []);
  });

  test("one whose gateway has gone is waited for: it goes by an older configuration", () => {
    status("g1", 1, { connectedNodes: ["n1"] });
    status("g2", 1, { connectedNodes: [] });
    status("g1", 1, { leaving: true });
    assert.deepEqual(absentIds(leaseAgo("n1", 9000)), ["n1"]);
  });

  test("one whose connection ended at a gateway that stayed has died, unless it renews its lease after that", () => {
    status("g1", 1, { connectedNodes: ["n1"] });
    status("g1", 1, { connectedNodes: [] });
    mock.timers.tick(1000);
    status("g1", 1, { connectedNodesUnchanged: true });
    assert.deepEqual(absentIds(leaseAgo("n1", 5000)), []);
    assert.deepEqual(absentIds(leaseAgo("n1", 500)), ["n1"]);
  });

  test("one that let its renewal go by has died, where renewals were possible", () => {
    status("g1", 1);
    assert.deepEqual(absentIds(leaseAgo("n1", 16_000), 15_000), []);
    assert.deepEqual(absentIds(leaseAgo("n1", 14_000), 15_000), ["n1"]);
    assert.deepEqual(absentIds(leaseAgo("n1", 16_000)), ["n1"]);
  });

  test("for people also the dead ones are named, with when their connection ended", () => {
    status("g1", 1, { connectedNodes: ["n1", "n2"] });
    status("g1", 1, { connectedNodes: ["n2"] });
    const closedMs = Date.now();
    mock.timers.tick(1000);
    status("g1", 1, { connectedNodesUnchanged: true });
    assert.deepEqual(tracker.unconnected([...leaseAgo("n1", 5000), ...leaseAgo("n2", 1), ...leaseAgo("n3", 2)]), [
      { node: "n1", renewedAgoMs: 5000, closedMs },
      { node: "n3", renewedAgoMs: 2 },
    ]);
  });

  test("a gateway that has not said who is connected to it is waited for", () => {
    status("g1", 1, { connectedNodesUnchanged: true });
    assert.deepEqual(tracker.unconnected(leaseAgo("n1", 0)), []);
    assert.deepEqual(absentIds(leaseAgo("n1", 0)), ["ads-gateway"]);
  });
});
