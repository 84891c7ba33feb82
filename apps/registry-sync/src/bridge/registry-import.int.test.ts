import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { compile } from "@fairlead/compile";
import { parseProvider, type Provider, type RuleDocument } from "@fairlead/dubbo-registry";
import { createLogger } from "@fairlead/logging";
import { until } from "@fairlead/testing-basics";
import { startTestPostgres, type TestPostgres } from "@fairlead/testing-servers";
import { openStore, type Store } from "@fairlead/store";
import { mirroredPrefix } from "./mirrored-instance.ts";
import { RegistryImport } from "./registry-import.ts";

const logger = createLogger({ service: "test", level: "silent" });
const deadlineMs = 15_000;
let postgres: TestPostgres;
let store: Store;

const provider = (port: number, more = ""): Provider => {
  const parsed = parseProvider(
    `dubbo://10.0.0.1:${port}/org.x.Greeter?application=demo&dubbo.tag=gray&version=1.0.0${more}`,
    "org.x.Greeter",
  );
  assert(parsed !== undefined);
  return parsed;
};
const reading = (providers: ReadonlyMap<string, readonly Provider[]>) => ({ providers, rules: new Map() });
const sources = (...all: number[]) => reading(new Map(all.map((port) => [`/p/${port}`, [provider(port)]])));

async function ports(registry: string): Promise<number[]> {
  const { result } = await store.write(undefined, (tx) => tx.findInstancesOf(mirroredPrefix(registry)));
  return result.map(({ port }) => port).toSorted((a, b) => a - b);
}

async function untilPorts(registry: string, expected: readonly number[]): Promise<void> {
  const what = `${registry} has ${expected.join()}`;
  await until(what, async () => (await ports(registry)).join() === expected.join(), deadlineMs);
}

describe("the import of a registry", () => {
  before(async () => {
    postgres = await startTestPostgres();
    store = await openStore({ url: postgres.url, logger });
    await store.migrate();
  });
  after(async () => {
    await store.close();
    await postgres.stop();
  });
  const begin = (name: string) =>
    new RegistryImport({ name, store, logger, gatherMs: 5, removalDelayMs: 100, lossHoldMs: 400 });

  test("providers become instances with their version, tag and application; they go after the delay", async () => {
    const mirror = begin("a");
    mirror.onAll(sources(1, 2));
    await untilPorts("a", [1, 2]);
    const { nodes, instances } = await store.snapshot();
    const [instance] = [...instances.values()];
    assert.deepEqual(instance?.labels, { application: "demo", "dubbo.tag": "gray", version: "1.0.0" });
    assert.equal(nodes.get("registry~a~10.0.0.1")?.app, "demo");
    mirror.onProviders("/p/2", []);
    mirror.onProviders("/p/3", [provider(3)]);
    await untilPorts("a", [1, 3]);
    await mirror.stop();
  });

  test("what wants no calls, or has a name that the mesh does not allow, is left out", async () => {
    const mirror = begin("b");
    const odd = parseProvider("dubbo://10.0.0.1:9/org.x.Greeter?version=a b", "org.x.Greeter");
    assert(odd !== undefined);
    mirror.onAll(reading(new Map([["/p/1", [provider(1, "&weight=0")]], ["/p/2", [provider(2, "&disabled=true")]], ["/p/9", [odd]], ["/p/4", [provider(4)]]]))); // prettier-ignore
    await untilPorts("b", [4]);
    assert.equal(mirror.unusable, 1);
    mirror.onProviders("/p/1", [provider(1, "&weight=10")]);
    await untilPorts("b", [1, 4]);
    await mirror.stop();
  });

  test("an owner that takes over keeps what the one before has written, until it has read for itself", async () => {
    const first = begin("c");
    first.onAll(sources(1, 2, 3));
    await untilPorts("c", [1, 2, 3]);
    await first.stop();
    const second = begin("c");
    second.restore(await store.snapshot());
    assert.deepEqual(await ports("c"), [1, 2, 3]);
    second.onAll(sources(1, 2, 4));
    await untilPorts("c", [1, 2, 4]);
    await second.stop();
  });

  test("a registry that has lost its providers: they are kept until they come back, or for the hold", async () => {
    const mirror = begin("d");
    mirror.onAll(sources(1, 2));
    await untilPorts("d", [1, 2]);
    mirror.onSuspended();
    mirror.onAll(reading(new Map()));
    mirror.onProviders("/p/1", [provider(1)]);
    const since = performance.now();
    await untilPorts("d", [1]);
    assert(performance.now() - since >= 300, "they went before the hold was over");
    await mirror.stop();
  });

  const rule = (conditions: string): RuleDocument => ({
    form: "item",
    key: "org.x.Greeter:1.0.0:.condition-router",
    text: `{scope: service, key: 'org.x.Greeter:1.0.0', conditions: ${conditions}}`,
  });
  const policiesOf = async (registry: string) =>
    [...(await store.snapshot()).policies.values()].filter(({ namespace }) => namespace === `~${registry}`);
  const untilPolicies = async (what: string, registry: string, condition: (texts: string) => boolean) => {
    const end = performance.now() + deadlineMs;
    for (;;) {
      const texts = (await policiesOf(registry)).map(({ text }) => text).join();
      if (condition(texts)) return;
      assert(performance.now() < end, `${what}: ${texts}`);
      await pause(10);
    }
  };

  test("rules become policies that compile, follow who is there, and go with the rules", async () => {
    const mirror = begin("r");
    mirror.onAll({ ...sources(1, 2), rules: new Map([["/c", rule("['method=a => address=10.0.0.1:2']")]]) });
    await untilPolicies("both", "r", (texts) => texts.includes("VirtualService") && texts.includes("10.0.0.1:2"));
    const catalogue = await store.snapshot();
    const policies = new Map([...catalogue.policies].filter(([, { namespace }]) => namespace === "~r"));
    const { rejected } = compile({ ...catalogue, policies });
    assert.deepEqual(rejected, []);
    const [policy] = await policiesOf("r");
    assert.equal(policy?.file, "registry r: org.x.Greeter:1.0.0:.condition-router");
    assert.deepEqual([mirror.rules, mirror.ruleProblems], [1, []]);
    // Nobody is left that it means: without force calls go to all.
    mirror.onProviders("/p/2", []);
    await untilPolicies("the rule has no effect", "r", (texts) => !texts.includes("/org.x.Greeter/a"));
    mirror.onProviders("/p/2", [provider(2)]);
    await untilPolicies("it has again", "r", (texts) => texts.includes("/org.x.Greeter/a"));
    mirror.onRule("/c", rule("['=> host=$host']"));
    await untilPolicies("tags are left", "r", (texts) => !texts.includes("/org.x.Greeter/a"));
    assert.match(mirror.ruleProblems.map(({ text }) => text).join(), /refers to the caller/);
    await mirror.stop();
  });

  test("a rule that is gone while nobody looked is gone from the mesh when the registry is read again", async () => {
    const first = begin("s");
    first.onAll({ ...sources(1, 2), rules: new Map([["/c", rule("['=> address=10.0.0.1:2']")]]) });
    await untilPolicies("written", "s", (texts) => texts.includes("10.0.0.1:2"));
    await first.stop();
    // Of an interface that has no provider any more.
    const [one] = await policiesOf("s");
    await store.write(undefined, (tx) => tx.putPolicy({ ...one!, name: "stale" }));
    const second = begin("s");
    second.restore(await store.snapshot());
    await pause(20);
    assert((await policiesOf("s")).length > 0, "kept until it was read");
    second.onAll({ providers: new Map(), rules: new Map() });
    await untilPolicies("removed", "s", (texts) => texts === "");
    assert.deepEqual(await policiesOf("s"), []);
    await second.stop();
  });

  test("a registry that has lost its data keeps its rules as long as its providers", async () => {
    const mirror = begin("l");
    const rules = new Map([["/c", rule("['=> address=10.0.0.1:2']")]]);
    mirror.onAll({ ...sources(1, 2), rules });
    await untilPolicies("written", "l", (texts) => texts.includes("10.0.0.1:2"));
    mirror.onSuspended();
    const since = performance.now();
    mirror.onAll({ providers: new Map(), rules: new Map() });
    assert.equal(mirror.rules, 1);
    await untilPolicies("let go", "l", (texts) => texts === "");
    assert(performance.now() - since >= 300, "before the hold was over");
    // Back in time: nothing is let go.
    mirror.onAll({ ...sources(1, 2), rules });
    await untilPolicies("written again", "l", (texts) => texts.includes("10.0.0.1:2"));
    mirror.onAll({ providers: new Map(), rules: new Map() });
    mirror.onAll({ ...sources(1, 2), rules });
    await pause(500);
    assert.equal(mirror.rules, 1);
    await mirror.stop();
  });

  /** Of `count` interfaces, one provider each; all of the same tag, which is a policy. */
  const manyTagged = (count: number) =>
    reading(
      new Map(
        Array.from({ length: count }, (_, index) => {
          const one = parseProvider(`dubbo://10.0.0.1:${index + 1}/org.x.S${index}?dubbo.tag=gray`, `org.x.S${index}`);
          return [`/p/${index}`, [one!]] as const;
        }),
      ),
    );
  /** What `onWritten` is told when a transaction is committed. */
  const watched = (name: string, onWritten: () => void | Promise<void>) => {
    const write: Store["write"] = async (traceparent, work) => {
      const written = await store.write(traceparent, work);
      await onWritten();
      return written;
    };
    return new RegistryImport({ name, store: { write }, logger, gatherMs: 5, removalDelayMs: 100, lossHoldMs: 400 });
  };

  test("of many providers, no interface is served in a revision in which its rules are not there", async () => {
    const revisions: (readonly [served: number, ruled: number])[] = [];
    const mirror = watched("m", async () => {
      const { result } = await store.write(undefined, (tx) => tx.findInstancesOf(mirroredPrefix("m")));
      const rules = (await policiesOf("m")).filter(({ kind }) => kind === "VirtualService");
      revisions.push([result.length, rules.length]);
    });
    mirror.onAll(manyTagged(1600));
    await until("all are served", () => revisions.at(-1)?.[0] === 1600, deadlineMs);
    assert.deepEqual(revisions, [[500, 500], [1500, 1500], [1600, 1600]]); // prettier-ignore
    // Nor in those that follow.
    mirror.onProviders("/p/new", [provider(9)]);
    await until("the next revision", () => revisions.length >= 4, deadlineMs);
    assert.deepEqual(revisions[3], [1601, 1601]);
    await mirror.stop();
  });

  test("of many providers, those that go while the rest cannot be written leave no rules behind", async () => {
    let begun = 0;
    const failed = Promise.withResolvers<void>();
    const write: Store["write"] = async (traceparent, work) => {
      begun += 1;
      if (begun !== 2) return await store.write(traceparent, work);
      failed.resolve();
      throw new Error("the store is away");
    };
    const mirror = new RegistryImport({ name: "o", store: { write }, logger, removalDelayMs: 100 });
    const many = manyTagged(600);
    mirror.onAll(many);
    await failed.promise;
    for (const source of many.providers.keys()) if (source !== "/p/1") mirror.onProviders(source, []);
    await untilPorts("o", [2]);
    await untilPolicies("those of one", "o", (texts) => texts.split("kind: VirtualService").length === 2);
    await mirror.stop();
  });

  test("an owner that is stopped while it writes many providers leaves the rest to the next one", async () => {
    let revisions = 0;
    const first = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    const mirror = watched("n", async () => {
      revisions += 1;
      first.resolve();
      await stopped.promise;
    });
    mirror.onAll(manyTagged(1600));
    await first.promise;
    const stopping = mirror.stop();
    stopped.resolve();
    await stopping;
    assert.equal(revisions, 1);
    assert.equal((await ports("n")).length, 500);
  });

  test("configurators change weights at once, and take out whom they disable", async () => {
    const mirror = begin("w");
    const override = (parameters: string): RuleDocument => ({ form: "url", interface: "org.x.Greeter", url: `override://10.0.0.1:1/org.x.Greeter?${parameters}` }); // prettier-ignore
    mirror.onAll({ ...sources(1, 2), rules: new Map([["/o", override("weight=7")]]) });
    await untilPorts("w", [1, 2]);
    const weights = async () => {
      const { result } = await store.write(undefined, (tx) => tx.findInstancesOf(mirroredPrefix("w")));
      return result.toSorted((a, b) => a.port - b.port).map(({ weight }) => weight);
    };
    assert.deepEqual(await weights(), [7, 100]);
    mirror.onRule("/o", override("disabled=true"));
    await untilPorts("w", [2]);
    mirror.onRule("/o", undefined);
    await untilPorts("w", [1, 2]);
    assert.deepEqual(await weights(), [100, 100]);
    await mirror.stop();
  });

  test("PostgreSQL away for a while: nothing is lost", async () => {
    const mirror = begin("e");
    mirror.onAll(sources(1));
    await untilPorts("e", [1]);
    await postgres.kill();
    mirror.onProviders("/p/2", [provider(2)]);
    mirror.onProviders("/p/1", []);
    await pause(200);
    await postgres.restart();
    const written = async (): Promise<boolean> => (await ports("e").catch(() => [])).join() === "2";
    await until("written after PostgreSQL came back", written, deadlineMs);
    await mirror.stop();
  });
});
