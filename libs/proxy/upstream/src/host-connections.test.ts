import assert from "node:assert/strict";
import { test } from "node:test";
import { CommonCellsOfControl, CommonCellsOfThread } from "@fairlead/stat-cells";
import { HostConnections } from "./host-connections.ts";

test("threads count the connections of a host together, in whatever order they learn of hosts", () => {
  const content = Buffer.from("v1");
  const build = (): HostConnections => new HostConnections();
  const control = new CommonCellsOfControl(3);
  control.within("cluster a", content, build);
  const shares = control.takeNew();
  const threads = [1, 2].map((index) => {
    const thread = new CommonCellsOfThread(index);
    thread.add(shares);
    return thread.within("cluster a", content, build);
  });
  const keys = Array.from({ length: 500 }, (_key, i) => `10.0.${i >> 8}.${i & 255}:80`);
  for (const key of keys) threads[0]!.of(key).add(1);
  for (const key of keys.toReversed()) threads[1]!.of(key).add(1);
  assert.deepEqual(new Set(keys.map((key) => threads[0]!.of(key).total)), new Set([2]));
  threads[1]!.of(keys[7]!).add(-1);
  assert.equal(threads[0]!.of(keys[7]!).total, 1);
  control.endOf(1);
  assert.equal(threads[1]!.of(keys[8]!).total, 1);
});

test("hosts that are too many for the table are counted by each thread alone", () => {
  const hosts = new HostConnections();
  for (let i = 0; i < 3000; i++) hosts.of(`host ${i}`).add(1);
  for (const i of [0, 2999]) assert.equal(hosts.of(`host ${i}`).total, 1);
});
