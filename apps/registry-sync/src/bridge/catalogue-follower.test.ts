import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change } from "@fairlead/model";
import type { ChangePage, ChangesAsked } from "@fairlead/store";
import { CatalogueFollower } from "./catalogue-follower.ts";

const empty = { nodes: new Map(), services: new Map(), instances: new Map(), subscriptions: new Map(), policies: new Map() }; // prettier-ignore

test("what is written of own nodes is not read back, and the log is read on from behind it", async () => {
  const asked: (readonly [number, ChangesAsked | undefined])[] = [];
  const change: Change = { revision: 7, kind: "service", key: "dubbo/a", value: { interface: "a", protocol: "dubbo" } };
  const pages: ChangePage[] = [
    { gap: false, changes: [change], revision: 7 },
    { gap: false, changes: [], revision: 20 },
    { gap: false, changes: [], revision: 20 },
  ];
  const store = {
    snapshot: async () => ({ revision: 5, ...empty }),
    changesSince: async (revision: number, what?: ChangesAsked) => {
      asked.push([revision, what]);
      return pages.shift()!;
    },
  };
  const follower = new CatalogueFollower(store, "registry~main~");
  await follower.read();
  const { catalogue, changed } = await follower.read();
  assert.deepEqual([catalogue.revision, catalogue.services.size, changed], [20, 1, true]);
  assert.equal((await follower.read()).changed, false);
  const exceptNodes = "registry~main~";
  assert.deepEqual(asked, [[5, { exceptNodes }], [7, { exceptNodes }], [20, { exceptNodes }]]); // prettier-ignore
});
