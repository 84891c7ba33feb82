import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedStats, SharedStatsOfThread } from "@fairlead/stat-cells";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { defaultCircuitBreakers, defaultHighCircuitBreakers } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";

test("each priority has limits of its own, in all threads", () => {
  const shared = new SharedStats(2);
  const first = shared.create("c", ClusterStats);
  const thread = new SharedStatsOfThread(1, () => undefined);
  thread.add(shared.takeNew());
  const second = thread.create("c", ClusterStats);
  const limits = { ...defaultCircuitBreakers, maxRequests: 2 };
  const normal = [first, second].map((stats) => new CircuitBreaker(stats, limits));
  const high = [first, second].map(
    (stats) => new CircuitBreaker(stats, { ...defaultHighCircuitBreakers, maxRequests: 1 }),
  );
  const full = (): boolean[] => [...normal, ...high].map((breaker) => breaker.requestsFull);

  high[1]!.addRequests(1);
  assert.deepEqual(full(), [false, false, true, true]);
  normal[0]!.addRequests(1);
  assert.deepEqual(full(), [false, false, true, true]);
  normal[1]!.addRequests(1);
  assert.deepEqual(full(), [true, true, true, true]);
  high[1]!.addRequests(-1);
  assert.deepEqual(full(), [true, true, false, false]);
  assert.equal(first.upstream_rq_active + second.upstream_rq_active, 2);
});

test("a retry budget is of the requests of its priority", () => {
  const stats = new ClusterStats();
  const retryBudget = { percent: 50, minConcurrency: 1 };
  const normal = new CircuitBreaker(stats, { ...defaultCircuitBreakers, retryBudget });
  const high = new CircuitBreaker(stats, { ...defaultHighCircuitBreakers, retryBudget });
  for (let i = 0; i < 8; i++) normal.addRequests(1);
  for (const breaker of [normal, high]) breaker.addRetries(1);
  assert.deepEqual([normal.maxRetries, normal.retriesFull, high.maxRetries, high.retriesFull], [4, false, 1, true]);
});
