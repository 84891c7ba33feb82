import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram, type HistogramTotals } from "@fairlead/stat-cells";
import { CounterBaseline } from "./counter-baseline.ts";
import { prometheusText } from "./prometheus-stats.ts";
import { histogramsWith, type ProxyStats } from "./server-stats.ts";
import { statsPage } from "./stats-page.ts";

const NAME = "http.in.downstream_rq_time";

function of(...durationsMs: number[]): HistogramTotals {
  const histogram = new Histogram();
  for (const ms of durationsMs) histogram.record(ms);
  return histogram.totals()!;
}

const statsWith = (totals: HistogramTotals): ProxyStats => ({
  numbers: new Map([["server.live", 1]]),
  histograms: new Map([[NAME, totals]]),
});
const page = (stats: ProxyStats, query: string): unknown => statsPage(stats, new URLSearchParams(query)).body;

test("Prometheus has each bucket with those below it, the sum and the count, in milliseconds", () => {
  const lines = prometheusText(statsWith(of(0.5, 3, 3.5, 4e6))).split("\n");
  const labels = 'envoy_http_conn_manager_prefix="in"';
  const of1 = (le: string): string => `envoy_http_downstream_rq_time_bucket{${labels},le="${le}"}`;
  for (const line of [
    "# TYPE envoy_http_downstream_rq_time histogram",
    `${of1("0.5")} 1`,
    `${of1("1")} 1`,
    `${of1("5")} 3`,
    `${of1("3600000")} 3`,
    `${of1("+Inf")} 4`,
    `envoy_http_downstream_rq_time_sum{${labels}} 4000007`,
    `envoy_http_downstream_rq_time_count{${labels}} 4`,
  ])
    assert.ok(lines.includes(line), `${line} in ${lines.join("\n")}`);
  assert.equal(lines.filter((line) => line.includes("_bucket{")).length, 20);
});

test("/stats has quantiles, in text and in JSON", () => {
  const stats = statsWith(of(...Array.from({ length: 100 }, () => 3)));
  assert.equal(
    page(stats, ""),
    `server.live: 1\n${NAME}: P0(nan,1) P25(nan,2) P50(nan,3) P75(nan,4) P90(nan,4.6) P95(nan,4.8) P99(nan,4.96) P99.5(nan,4.98) P99.9(nan,4.996) P100(nan,5)\n`,
  );
  const json = page(stats, "format=json") as { stats: { histograms?: { computed_quantiles: object[] } }[] };
  assert.partialDeepStrictEqual(json.stats.at(-1)?.histograms?.computed_quantiles[0], { name: NAME });
  assert.deepEqual(json.stats.length, 2);
  assert.equal(page(stats, "filter=^server"), "server.live: 1\n");
  assert.match(String(page(stats, "usedonly&filter=rq_time")), /^http.in.downstream_rq_time: P0/);
});

test("histograms begin anew with /reset_counters, and go on over a hot restart", () => {
  const baseline = new CounterBaseline();
  baseline.reset({ ...statsWith(of(1, 2)), numbers: new Map([["a_total", 1]]) });
  assert.equal(baseline.since(statsWith(of(1, 2))).histograms.size, 0);
  assert.deepEqual(baseline.since(statsWith(of(1, 2, 300))).histograms, new Map([[NAME, of(300)]]));
  const parent = { counters: {}, connections: 0, histograms: { [NAME]: of(7), "cluster.a.upstream_rq_time": of(8) } };
  assert.deepEqual(
    [...histogramsWith(new Map([[NAME, of(1)]]), parent)],
    [
      ["cluster.a.upstream_rq_time", of(8)],
      [NAME, of(1, 7)],
    ],
  );
});
