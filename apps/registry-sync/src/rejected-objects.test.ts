import assert from "node:assert/strict";
import { test } from "node:test";
import { RejectedObjects } from "./rejected-objects.ts";

/** A compile that ends when the test says so. */
function compiles() {
  const under: { resolve: (revision: number) => void; reject: (error: Error) => void }[] = [];
  const run = () => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    under.push({ resolve: (revision) => resolve({ revision, rejected: [] }), reject });
    return promise;
  };
  return { under, worker: { run: run as never } };
}

test("one compile answers all who ask for a revision, until there is a newer one", async () => {
  const { under, worker } = compiles();
  const rejected = new RejectedObjects({ worker });
  const asked = [rejected.at(1), rejected.at(1)];
  under[0]?.resolve(1);
  assert.deepEqual(
    (await Promise.all(asked)).map(({ revision }) => revision),
    [1, 1],
  );
  assert.equal((await rejected.at(1)).revision, 1);
  assert.equal(under.length, 1);
  const newer = rejected.at(2);
  under[1]?.resolve(3);
  assert.equal((await newer).revision, 3);
  assert.equal((await rejected.at(3)).revision, 3);
  assert.equal(under.length, 2);
});

test("who could have an older answer does not wait long for the newest, which is found all the same", async () => {
  const { under, worker } = compiles();
  const rejected = new RejectedObjects({ worker, patienceMs: 1 });
  const first = rejected.at(1);
  under[0]?.resolve(1);
  await first;
  assert.equal((await rejected.at(2)).revision, 1);
  under[1]?.resolve(2);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await rejected.at(2)).revision, 2);
  assert.equal(under.length, 2);
});

test("a compile that fails is told where nothing is known, and tried again by the next one", async () => {
  const { under, worker } = compiles();
  const rejected = new RejectedObjects({ worker });
  const failing = rejected.at(1);
  under[0]?.reject(new Error("no memory"));
  await assert.rejects(failing, /no memory/);
  const next = rejected.at(1);
  under[1]?.resolve(1);
  assert.equal((await next).revision, 1);
});
