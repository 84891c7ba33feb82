import assert from "node:assert/strict";
import { test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { browserRefusal, errorAnswer } from "@fairlead/http-api";
import { createDataPlane } from "@fairlead/proxy-runtime";
import { OperatedProxy } from "./operated-proxy.ts";

const logger = { level: "info", debug() {}, info() {}, warn() {}, error() {} };

test("what the next process goes on from is counted since the last reset", async (t) => {
  const runtime = createDataPlane({ logger, nodeId: "test" });
  const proxy = new OperatedProxy({
    program: "test",
    version: "1",
    node: { id: "test", app: "test", labels: {} },
    runtime,
    settings: { adsAddress: ["127.0.0.1:1"], initialFetchTimeout: 1000, adsVariant: "delta" },
    logger,
    manners: { refusalOf: browserRefusal, answerOf: errorAnswer },
    serveMetrics: (_request, response) => void response.end(),
    missing: () => [],
    quit: () => undefined,
  });
  t.after(() => proxy.close());
  const port = await proxy.admin.listen("127.0.0.1", 0);
  const counted = () => proxy.report().counters["sds.update_attempt"];
  await runtime.apply(typeUrls.secret, []);
  await runtime.apply(typeUrls.secret, []);
  assert.equal(counted(), 2);
  const response = await fetch(`http://127.0.0.1:${port}/reset_counters`, { method: "POST" });
  assert.equal(response.status, 200);
  assert.equal(counted(), undefined);
  await runtime.apply(typeUrls.secret, []);
  assert.equal(counted(), 1);
});
