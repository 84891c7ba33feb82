import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { buckets, type Bus, type KeyValue, type KeyValueEntry } from "@fairlead/bus";
import { connectNats } from "@fairlead/bus-nats";
import { compile } from "@fairlead/compile";
import { createLogger } from "@fairlead/logging";
import { decodeEntry, headKey, parseBucketKey } from "@fairlead/snapshot";
import type { Instance } from "@fairlead/model";
import { openStore, type Store } from "@fairlead/store";
import { startTestNats, startTestPostgres, type TestNats, type TestPostgres } from "@fairlead/testing-servers";
import { Client } from "pg";
import { CompilerProcess } from "./testing/compiler-process.ts";

const logger = createLogger({ service: "test", level: "silent" });
const takeoverMs = 2000;

/** What gateways see: the bucket, and each commit in its order. */
class BucketView {
  readonly heads: { readonly revision: number; readonly compilerId: string }[] = [];
  readonly #entries = new Map<string, Uint8Array>();
  #waiting: { readonly revision: number; readonly resolve: () => void }[] = [];

  constructor(bucket: KeyValue) {
    bucket.watch({
      entry: (entry) => this.#take(entry),
      snapshotComplete: () => undefined,
      restarted: () => assert.fail("the watch began anew"),
    });
  }

  async committed(revision: number): Promise<void> {
    if (this.heads.some((head) => head.revision >= revision)) return;
    await new Promise<void>((resolve) => this.#waiting.push({ revision, resolve }));
  }

  /** The bodies of all resources, by key. */
  resources(): Map<string, string> {
    const bodies = new Map<string, string>();
    for (const [key, value] of this.#entries) {
      const parsed = parseBucketKey(key);
      if (parsed?.kind !== "resource") continue;
      const decoded = decodeEntry(parsed, value);
      if (decoded.kind === "resource") bodies.set(decoded.id, Buffer.from(decoded.value.body).toString("hex"));
    }
    return bodies;
  }

  #take({ key, value }: KeyValueEntry): void {
    if (value === undefined) this.#entries.delete(key);
    else this.#entries.set(key, value);
    if (key !== headKey || value === undefined) return;
    const head = decodeEntry({ kind: "head" }, value);
    if (head.kind !== "head") return;
    const { revision, compilerId } = head.value;
    this.heads.push({ revision: Number(revision), compilerId });
    const reached = this.#waiting.filter((one) => Number(revision) >= one.revision);
    this.#waiting = this.#waiting.filter((one) => !reached.includes(one));
    for (const { resolve } of reached) resolve();
  }
}

let nats: TestNats;
let postgres: TestPostgres;
let bus: Bus;
let store: Store;
const processes: CompilerProcess[] = [];

before(async () => {
  [nats, postgres] = await Promise.all([startTestNats(), startTestPostgres()]);
  bus = await connectNats({ servers: nats.url, name: "test", logger });
  store = await openStore({ url: postgres.url, logger });
  await store.migrate();
});

after(async () => {
  for (const one of processes) {
    one.resume();
    await one.kill();
  }
  await Promise.all([bus.close(), store.close()]);
  await Promise.all([nats.stop(), postgres.stop()]);
});

async function startCompiler(
  role: "active" | "standby",
  settings: Readonly<Record<string, string>> = {},
): Promise<CompilerProcess> {
  const started = new CompilerProcess(nats.url, postgres.url, settings);
  processes.push(started);
  // A standby says nothing of its role: it is what it begins as.
  const isThere = settings["FAIRLEAD_HOT_STANDBY"] === "false" ? "connected to NATS" : "standing by";
  await started.logged(role === "active" ? '"role":"active"' : isThere);
  return started;
}

let registered = 0;

const manyServices = 1000;

/** A mesh of a size that takes seconds to read and compile. */
async function registerMany(): Promise<number> {
  const nodes = Array.from({ length: 50 }, (_, index) => ({
    id: `mirrored-${index}`,
    app: "a",
    address: `10.0.0.${index}`,
    labels: {},
  }));
  const instances = Array.from({ length: manyServices * 5 }, (_, index): Instance => ({
    nodeId: nodes[index % nodes.length]!.id,
    interface: `many.Service${index % manyServices}`,
    protocol: "http",
    port: 8000 + Math.floor(index / nodes.length / 20),
    version: "",
    group: "",
    methods: [],
    labels: {},
    weight: 100,
    state: "ready",
  }));
  const { revision } = await store.write(undefined, async (transaction) => {
    await transaction.putMirrored(nodes, instances);
  });
  return revision;
}

/** One more service. @returns the revision that has it */
async function register(): Promise<number> {
  registered += 1;
  const name = `shop.Service${registered}`;
  const { revision } = await store.write(undefined, async (transaction) => {
    await transaction.publishService({ interface: name, protocol: "http" });
  });
  return revision;
}

/** A change after the other, some of them ahead of the commits. @returns a function that ends it */
function keepRegistering(view: BucketView): () => Promise<void> {
  const enough = new AbortController();
  const writing = (async () => {
    while (!enough.signal.aborted) await view.committed((await register()) - 10);
  })();
  return async () => {
    enough.abort();
    await writing;
  };
}

/** What the bucket holds is what a compile of the catalogue gives. */
async function assertNothingLost(view: BucketView): Promise<void> {
  const catalogue = await store.snapshot();
  await view.committed(catalogue.revision);
  const compiled = [...compile(catalogue).resources.values()];
  assert.deepEqual(
    view.resources(),
    new Map(compiled.map(({ key, body }) => [key, Buffer.from(body).toString("hex")])),
  );
  const revisions = view.heads.map(({ revision }) => revision);
  assert.deepEqual(
    revisions,
    revisions.toSorted((a, b) => a - b),
    "no commit goes back",
  );
}

/** Kills the active one while changes come. @returns how long it took until a change was committed that was made after that */
async function killedAndTakenOver(active: CompilerProcess, view: BucketView): Promise<number> {
  const stopWriting = keepRegistering(view);
  for (let turn = 0; turn < 5; turn += 1) await view.committed((await store.revision()) + 1);
  const killedAt = performance.now();
  await active.kill();
  const last = view.heads.at(-1)!;
  await view.committed(await register());
  const tookMs = performance.now() - killedAt;
  await stopWriting();
  await assertNothingLost(view);
  assert.notEqual(view.heads.at(-1)!.compilerId, last.compilerId);
  return tookMs;
}

test("a cold standby takes over, too", async () => {
  const active = await startCompiler("active");
  const view = new BucketView(await bus.keyValue(buckets.xds));
  await view.committed(await register());
  const standby = await startCompiler("standby", { FAIRLEAD_HOT_STANDBY: "false" });
  await killedAndTakenOver(active, view);
  assert.equal(standby.hasLogged("standing by"), false);
  await standby.kill();
});

test("a compiler that was stopped, and whose lock went to another, overwrites nothing when it goes on", async () => {
  const old = await startCompiler("active");
  const view = new BucketView(await bus.keyValue(buckets.xds));
  await view.committed(await register());
  const next = await startCompiler("standby");

  // Stopped in the middle of its work: it has read changes that it has not written yet.
  const stopWriting = keepRegistering(view);
  await view.committed((await store.revision()) + 1);
  const takenOver = next.becomes("active");
  old.pause();
  const idOfOld = view.heads.at(-1)!.compilerId;
  await endLockSession();
  await takenOver;
  await view.committed((await register()) + 1);
  const idOfNext = view.heads.at(-1)!.compilerId;
  assert.notEqual(idOfNext, idOfOld);

  const givenUp = old.becomes("standby");
  const commits = view.heads.length;
  old.resume();
  await givenUp;
  await view.committed((await register()) + 1);
  await stopWriting();
  await assertNothingLost(view);
  assert.deepEqual(new Set(view.heads.slice(commits).map(({ compilerId }) => compilerId)), new Set([idOfNext]));
  await Promise.all([old.kill(), next.kill()]);
});

test(`the active compiler of ${manyServices} services is killed while changes come: a standby goes on within 2 s, and nothing is lost`, async (t) => {
  const first = await startCompiler("active");
  const view = new BucketView(await bus.keyValue(buckets.xds));
  await view.committed(await registerMany());
  const standbys = [await startCompiler("standby"), await startCompiler("standby")];

  for (let active = first; ;) {
    const tookMs = await killedAndTakenOver(active, view);
    t.diagnostic(`from SIGKILL to the first commit of a later change: ${Math.round(tookMs)} ms`);
    assert.ok(tookMs < takeoverMs, `it took ${Math.round(tookMs)} ms`);
    const next = standbys.findIndex((one) => one.hasLogged('"role":"active"'));
    if (standbys.length === 1) break;
    // Which of them gets the lock is left to chance.
    [active] = standbys.splice(next, 1) as [CompilerProcess];
  }
  await standbys[0]!.kill();
});

/** What PostgreSQL does to a session whose client it takes for dead. */
async function endLockSession(): Promise<void> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory' AND granted AND application_name = 'fairlead-lock'",
  );
  await client.end();
}
