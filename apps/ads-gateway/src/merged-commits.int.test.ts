import assert from "node:assert/strict";
import { test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { VariantClient } from "@fairlead/testing-xds";
import { clusterForTest, GatewayUnderTest } from "./gateway-under-test.ts";

const { cluster } = typeUrls;

for (const variant of ["sotw", "delta"] as const) {
  test(`commits while a push waits go with it, and each keeps the proxy pending until its ACK [${variant}]`, async (t) => {
    const mesh = await GatewayUnderTest.serving([clusterForTest("a")], {
      config: { debounceQuiet: 400, debounceMax: 2000 },
    });
    t.after(() => mesh.stop());
    const client = mesh.closeOnStop(
      new VariantClient({ address: mesh.address, variant, service: "ads", nodeId: "n1" }),
    );
    client.subscribe(cluster);
    await client.nextAcked(cluster);
    // The first one goes at once, those that follow closely wait.
    await mesh.commit({ resources: [clusterForTest("a", "2")] });
    await client.nextAcked(cluster);
    const first = await mesh.commit({ resources: [clusterForTest("a", "3")] });
    await mesh.commit({ resources: [clusterForTest("b")] });
    const last = await mesh.commit({ resources: [clusterForTest("a", "4"), clusterForTest("c")] });
    const waiting = await mesh.statusWhere((status) => status.revision >= BigInt(last));
    for (let revision = first; revision <= last; revision++) {
      const covers = waiting.pending.some(
        (entry) => entry.firstRevision <= BigInt(revision) && BigInt(revision) <= entry.lastRevision,
      );
      assert.ok(covers, `revision ${revision} is pending`);
    }
    const { resources } = await client.nextAcked(cluster);
    assert.equal(resources.length, 3, "a, b and c, at once");
    await mesh.statusWhere((status) => status.revision >= BigInt(last) && status.pending.length === 0);
  });
}
