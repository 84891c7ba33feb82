import { bucketBoundsMs, type HistogramTotals } from "@fairlead/stat-cells";
import type { ProxyStats } from "./server-stats.ts";
import { isGauge } from "./stat-kind.ts";
import { taggedStat } from "./stat-tags.ts";

interface Family {
  readonly metric: string;
  readonly lines: string[];
}

/** After so many statistics a piece is empty, for who makes others wait meanwhile. */
const STATS_OF_A_PIECE = 500;

/** Envoy's statistics in Prometheus' text format: names and tags as Envoy's. */
export function prometheusText(stats: ProxyStats): string {
  return [...prometheusPieces(stats)].join("");
}

/** The same, in pieces. */
export function* prometheusPieces({ numbers, histograms }: ProxyStats): Iterable<string> {
  yield* numberPieces(numbers);
  yield* histogramPieces(histograms);
}

function* numberPieces(numbers: ReadonlyMap<string, number>): Iterable<string> {
  const families = new Families();
  let count = 0;
  for (const [name, value] of numbers) {
    if (++count % STATS_OF_A_PIECE === 0) yield "";
    const { family, tags } = taggedStat(name);
    const { metric, lines } = families.of(family);
    const labels = labelsOf(tags);
    lines.push(labels === "" ? `${metric} ${value}\n` : `${metric}{${labels}} ${value}\n`);
  }
  for (const { metric, lines } of families.all())
    yield `# TYPE ${metric} ${isGauge(metric) ? "gauge" : "counter"}\n${lines.join("")}`;
}

function* histogramPieces(histograms: ReadonlyMap<string, HistogramTotals>): Iterable<string> {
  const families = new Families();
  for (const [name, totals] of histograms) {
    // One has as many lines as a number of statistics.
    yield "";
    const { family, tags } = taggedStat(name);
    const { metric, lines } = families.of(family);
    lines.push(histogramLines(metric, labelsOf(tags), totals));
  }
  for (const { metric, lines } of families.all()) yield `# TYPE ${metric} histogram\n${lines.join("")}`;
}

/** Each bucket has those below it in it, too; bounds and sum are in milliseconds, as Envoy's. */
function histogramLines(metric: string, labels: string, { counts, sumMs }: HistogramTotals): string {
  const before = labels === "" ? "" : `${labels},`;
  let text = "";
  let count = 0;
  for (const [bucket, bound] of [...bucketBoundsMs, "+Inf"].entries()) {
    count += counts[bucket] ?? 0;
    text += `${metric}_bucket{${before}le="${bound}"} ${count}\n`;
  }
  const braced = labels === "" ? "" : `{${labels}}`;
  return `${text}${metric}_sum${braced} ${sumMs}\n${metric}_count${braced} ${count}\n`;
}

/** In the order in which they were first seen. */
class Families {
  readonly #byName = new Map<string, Family>();
  readonly #byMetric = new Map<string, Family>();

  all(): Iterable<Family> {
    return this.#byMetric.values();
  }

  /** @param name with dots */
  of(name: string): Family {
    let family = this.#byName.get(name);
    if (family === undefined) {
      const metric = `envoy_${name.replaceAll(/[^A-Za-z0-9_]/g, "_")}`;
      // Several may have one metric: `a.b` and `a_b`.
      family = this.#byMetric.get(metric) ?? { metric, lines: [] };
      this.#byMetric.set(metric, family);
      this.#byName.set(name, family);
    }
    return family;
  }
}

function labelsOf(tags: readonly (readonly [label: string, value: string])[]): string {
  let labels = "";
  for (const [label, value] of tags) labels += `${labels === "" ? "" : ","}${label}="${escaped(value)}"`;
  return labels;
}

const toEscape = /[\\"\n]/;

function escaped(text: string): string {
  return toEscape.test(text) ? text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n") : text;
}
