import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { generatedNote, table } from "./markdown.ts";

const repository = join(import.meta.dirname, "../../..");
const kinds: Readonly<Record<string, string>> = {
  Counter: "counter",
  UpDownCounter: "gauge",
  Histogram: "histogram",
  Gauge: "gauge",
  ObservableGauge: "gauge",
  ObservableCounter: "counter",
  ObservableUpDownCounter: "gauge",
};
const instrument = /\.create(\w+)\(\s*"((?:fairlead|pilot)_[a-z0-9_]+)",\s*\{[^}]*?description:\s*"((?:[^"\\]|\\.)*)"/g;

/** The instruments made in the sources. OpenTelemetry keeps no list that could be asked without running every service. */
export function metricReference(): string {
  const rows = new Map<string, string[]>();
  for (const file of globSync("{libs,apps}/**/src/**/*.ts", {
    cwd: repository,
    exclude: (name) => name === "node_modules",
  })) {
    for (const [, kind, name, description] of readFileSync(join(repository, file), "utf8").matchAll(instrument)) {
      rows.set(name!, [
        `\`${name}\``,
        kinds[kind!] ?? kind!,
        description!.replaceAll('\\"', '"'),
        file.split("/src/")[0]!,
      ]);
    }
  }
  return `${generatedNote}
# Metrics

In Prometheus text format at \`/metrics\` of each service (the sidecar also has Envoy's \`/stats/prometheus\` on its admin port). Durations are in
seconds. Counters end in \`_total\` on the wire.

${table(
  ["name", "kind", "what it counts", "made by"],
  [...rows.values()].toSorted((a, b) => (a[0]! < b[0]! ? -1 : 1)),
)}
`;
}
