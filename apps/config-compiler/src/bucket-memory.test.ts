import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { buckets, InProcessBus } from "@fairlead/bus";
import { typeUrls } from "@fairlead/envoy-api";
import { BucketContent } from "./bucket-content.ts";
import { BucketReplica } from "./bucket-replica.ts";
import { BucketWriter } from "./bucket-writer.ts";
import { SoleWriter } from "./sole-writer.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("the bytes of an entry are let go once they are written", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const replica = new BucketReplica(bucket);
  const { signal: aborted } = new AbortController();
  const sole = await SoleWriter.claim(bucket, replica, "test", aborted);
  const writer = new BucketWriter({ writer: sole, replica, compilerId: "test" });
  const content = new BucketContent();
  const written = async () => {
    const body = Buffer.from("cluster");
    const resource = { key: "cds/a", typeUrl: typeUrls.cluster, name: "a", version: "1", revision: 0, body, onDemand: false, provenance: [] }; // prettier-ignore
    const nothing = { changed: [], removed: [] };
    const mesh = {
      resources: { changed: [resource], removed: [] },
      scopes: nothing,
      nodes: nothing,
      policies: nothing,
    };
    const change = content.take(mesh);
    const bytes = new WeakRef(change.entries[0]!.encode());
    const { changedKeys } = await writer.commit(change, { revision: 1, traceparent: undefined, aborted, rejected: [] });
    assert.equal(changedKeys.length, 1);
    return bytes;
  };
  const bytes = await written();
  for (let round = 0; round < 5; round++) {
    await turn();
    collectGarbage();
  }
  assert.equal(bytes.deref(), undefined);
  await replica.stop();
});
