import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { cluster, endpoint, type ResponseForTest, StreamUnderTest } from "./stream-under-test.ts";

const byName = ([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]) => (a < b ? -1 : 1);

const types = [cluster, endpoint] as const;
const names = ["a", "b", "c", "d?"] as const;

interface Habits {
  readonly variant: "sotw" | "delta";
  /** Its reasons for a NACK say which resources. */
  readonly namesWhatIsBad: boolean;
  /** Of a refused response it takes what is good. */
  readonly takesHalf: boolean;
}

/** A client that keeps the rules, and what it holds. It refuses versions that begin with `bad`. */
class ModelClient {
  readonly #t: StreamUnderTest;
  readonly #habits: Habits;
  readonly #inbox: ResponseForTest[] = [];
  readonly wanted = new Map<string, Set<string>>(types.map((type) => [type, new Set()]));
  readonly held = new Map<string, Map<string, string>>(types.map((type) => [type, new Map()]));

  constructor(t: StreamUnderTest, habits: Habits) {
    this.#t = t;
    this.#habits = habits;
  }

  receive(responses: readonly ResponseForTest[]): void {
    this.#inbox.push(...responses);
  }

  wants(type: string, name: string): boolean {
    return this.wanted.get(type)!.has(name) || (this.wanted.get(type)!.has("*") && name !== "d");
  }

  toggle(type: string, name: string): void {
    const wanted = this.wanted.get(type)!;
    const adds = !wanted.delete(name);
    if (adds) wanted.add(name);
    for (const held of this.held.get(type)!.keys()) if (!this.wants(type, held)) this.held.get(type)!.delete(held);
    const change = adds ? { names: [name] } : { unsubscribed: [name] };
    this.receive(
      this.#t.send({ typeUrl: type, ...(this.#habits.variant === "delta" ? change : { names: [...wanted] }) }),
    );
  }

  /** @returns whether there was something to answer */
  answerNext(): boolean {
    const response = this.#inbox.shift();
    if (response === undefined) return false;
    const { typeUrl, nonce, bodies, removed } = response;
    const contents = bodies.map((body) => body.split("@") as [string, string]);
    const bad = contents.filter(([, version]) => version.startsWith("bad"));
    if (bad.length === 0 || this.#habits.takesHalf) this.#take(typeUrl, contents, removed);
    const reason = this.#habits.namesWhatIsBad ? bad.map(([name]) => `'${name}' is no good`).join(", ") : "no good";
    const list = this.#habits.variant === "sotw" ? { names: [...this.wanted.get(typeUrl)!] } : {};
    this.receive(this.#t.send({ typeUrl, nonce, ...list, ...(bad.length > 0 ? { errorDetail: reason } : {}) }));
    return true;
  }

  #take(type: string, contents: readonly [string, string][], removed: readonly string[]): void {
    const held = this.held.get(type)!;
    const isFullSet = this.#habits.variant === "sotw" && type === cluster;
    const present = new Set(contents.map(([name]) => name));
    for (const name of held.keys()) if (isFullSet && !present.has(name)) held.delete(name);
    for (const name of removed) held.delete(name);
    for (const [name, version] of contents) {
      if (!version.startsWith("bad") && this.wants(type, name)) held.set(name, version);
    }
  }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom(...types),
      name: fc.constantFrom(...names),
      version: fc.constantFrom("1", "2", "bad1", "bad2", ""),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ toggle: fc.constantFrom(...types), name: fc.constantFrom("a", "b", "c", "d", "*", "none") }),
  },
  { weight: 4, arbitrary: fc.constant("answer" as const) },
  { weight: 2, arbitrary: fc.constant("release" as const) },
  { weight: 1, arbitrary: fc.constant("wait" as const) },
);
const habits = fc.record({ namesWhatIsBad: fc.boolean(), takesHalf: fc.boolean() });

for (const variant of ["sotw", "delta"] as const) {
  test(`rules 15, 16, 50, 59: whatever was asked, refused and changed, the client ends with what there is [${variant}]`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), habits, (steps, habit) => {
        const t = new StreamUnderTest({ variant });
        const client = new ModelClient(t, { variant, ...habit });
        const mesh = new Map<string, Map<string, string>>(types.map((type) => [type, new Map()]));
        const set = (type: string, name: string, version: string) => {
          const plain = name.replace("?", "");
          if (version === "") mesh.get(type)!.delete(plain);
          else mesh.get(type)!.set(plain, version);
          t.announce({
            [type]: [version === "" ? `-${plain}` : `${plain}@${version}${name.endsWith("?") ? "?" : ""}`],
          });
        };
        const release = () => {
          t.stream.release();
          client.receive(t.take());
        };
        for (const one of steps) {
          if (one === "answer") client.answerNext();
          else if (one === "release") release();
          else if (one === "wait") {
            t.now += 20_000;
            client.receive(t.take());
          } else if ("toggle" in one) client.toggle(one.toggle, one.name);
          else set(one.type, one.name, one.version);
        }
        for (const type of types) {
          for (const [name, version] of mesh.get(type)!) {
            if (version.startsWith("bad")) set(type, name === "d" ? "d?" : name, "good");
          }
        }
        release();
        for (let answers = 0; client.answerNext(); answers++) assert.ok(answers < 100, "it goes on for ever");
        for (const type of types) {
          const expected = [...mesh.get(type)!].filter(([name]) => client.wants(type, name)).sort(byName);
          // In state of the world the deletion of endpoints is not told.
          const held = [...client.held.get(type)!].filter(
            ([name]) => variant === "delta" || mesh.get(type)!.has(name) || type === cluster,
          );
          assert.deepEqual(held.sort(byName), expected, type);
        }
        assert.deepEqual(t.stream.pending(), []);
      }),
      { numRuns: 2000 },
    );
  });
}
