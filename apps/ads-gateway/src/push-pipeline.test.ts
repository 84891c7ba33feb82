import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import type { ReplicaCommit, TouchedNames } from "@fairlead/snapshot";
import type { PushLane } from "./push-lane.ts";
import { PushPipeline, type PushTarget } from "./push-pipeline.ts";

const nothing = new Map();
const commit: ReplicaCommit = {
  revision: 1,
  traceparent: undefined,
  changed: new Set(),
  removed: new Set(),
  changedScopes: nothing,
  changedNodes: nothing,
};
const touching = (...types: string[]): TouchedNames => new Map(types.map((typeUrl) => [typeUrl, new Set(["a"])]));
const endpoints = touching(typeUrls.endpoint);
const routes = touching(typeUrls.route);

class Stream implements PushTarget {
  readonly name: string;
  readonly #log: string[];
  concerned = true;
  #taken: (() => void)[] = [];

  constructor(name: string, log: string[]) {
    this.name = name;
    this.#log = log;
  }
  announce(): boolean {
    return this.concerned;
  }
  push(lane: PushLane): Promise<void> {
    this.#log.push(`${Date.now()} ${this.name} ${lane}`);
    return new Promise((resolve) => this.#taken.push(resolve));
  }
  /** Its proxy has read everything. */
  async take(): Promise<void> {
    for (const resolve of this.#taken.splice(0)) resolve();
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
  }
}

function start(t: TestContext, concurrency = 10) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  const log: string[] = [];
  const triggers: string[] = [];
  const held: number[] = [];
  const pipeline = new PushPipeline<Stream>({
    lanes: { endpoints: { quietMs: 10, maxMs: 50 }, configuration: { quietMs: 100, maxMs: 1000 } },
    concurrency,
    onTriggered: (lane) => triggers.push(lane),
    onDebounced: (heldMs) => held.push(heldMs),
    onTurn: () => undefined,
  });
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed++) t.mock.timers.tick(1);
  };
  const streams = ["a", "b", "c"].map((name) => new Stream(name, log));
  return { pipeline, log, triggers, held, pass, streams: streams as [Stream, Stream, Stream] };
}

test("a lone change is pushed at once, to the streams that it concerns", (t) => {
  const { pipeline, log, streams } = start(t);
  const [a, b, c] = streams;
  b.concerned = false;
  const concerned = pipeline.committed(
    [
      [a, routes],
      [b, routes],
      [c, endpoints],
    ],
    commit,
  );
  assert.equal(concerned, 2);
  assert.deepEqual(log, ["0 c endpoints", "0 a configuration"]);
});

test("an endpoint does not wait for a storm of routes", async (t) => {
  const { pipeline, log, held, triggers, pass, streams } = start(t);
  const [a, b] = streams;
  for (let index = 0; index < 10; index++) {
    pipeline.committed([[a, routes]], commit);
    pass(50);
    await a.take();
  }
  pipeline.committed([[b, endpoints]], commit);
  assert.deepEqual(log, ["0 a configuration", "500 b endpoints"]);
  pass(100);
  assert.deepEqual(log.slice(2), ["550 a configuration"]);
  assert.deepEqual(held, [0, 0, 500]);
  assert.equal(triggers.filter((lane) => lane === "configuration").length, 10);
});

test("endpoints in a commit with anything else go with the configuration", (t) => {
  const { pipeline, log, streams } = start(t);
  pipeline.committed([[streams[0], touching(typeUrls.endpoint, typeUrls.cluster)]], commit);
  assert.deepEqual(log, ["0 a configuration"]);
});

test("what comes while a stream is written to is one more push, of everything", async (t) => {
  const { pipeline, log, pass, streams } = start(t);
  const [a] = streams;
  pipeline.committed([[a, routes]], commit);
  pass(200);
  pipeline.committed([[a, endpoints]], commit);
  pipeline.committed([[a, routes]], commit);
  pass(200);
  pipeline.committed([[a, endpoints]], commit);
  assert.equal(log.length, 1);
  await a.take();
  assert.deepEqual(log, ["0 a configuration", "400 a configuration"]);
  await a.take();
  assert.equal(log.length, 2);
});

test("a stream that does not read takes one place only", async (t) => {
  const { pipeline, log, pass, streams } = start(t, 2);
  const [stuck, b, c] = streams;
  pipeline.committed([[stuck, routes]], commit);
  for (let index = 0; index < 3; index++) {
    pass(200);
    pipeline.committed(
      [
        [stuck, routes],
        [b, routes],
        [c, routes],
      ],
      commit,
    );
    await b.take();
    await c.take();
  }
  assert.deepEqual(
    log.filter((line) => line.includes(" a ")),
    ["0 a configuration"],
  );
  assert.equal(log.filter((line) => / [bc] /.test(line)).length, 6);
});

test("a stream that is gone is not pushed to, and nothing is after a stop", (t) => {
  const { pipeline, log, pass, streams } = start(t);
  const [a, b] = streams;
  pipeline.committed([[a, routes]], commit);
  pipeline.committed([[b, routes]], commit);
  pipeline.forget(b);
  pass(200);
  pipeline.committed([[b, routes]], commit);
  pipeline.committed([[b, routes]], commit);
  pipeline.stop();
  pass(2000);
  assert.deepEqual(log, ["0 a configuration", "200 b configuration"]);
});
