import { createRequire } from "node:module";
import { join } from "node:path";
import type { Plugin } from "esbuild";

/**
 * What OpenTelemetry's SDK for Node imports at once and few proxies ever use: exporters of every kind, with gRPC and protobuf of their own,
 * and the reader of configuration files. In a bundle they are a file of their own that the first use of one loads.
 */
const names = [
  "@opentelemetry/configuration",
  "@opentelemetry/exporter-logs-otlp-grpc",
  "@opentelemetry/exporter-logs-otlp-http",
  "@opentelemetry/exporter-logs-otlp-proto",
  "@opentelemetry/exporter-metrics-otlp-grpc",
  "@opentelemetry/exporter-metrics-otlp-http",
  "@opentelemetry/exporter-metrics-otlp-proto",
  "@opentelemetry/exporter-trace-otlp-grpc",
  "@opentelemetry/exporter-trace-otlp-http",
  "@opentelemetry/exporter-trace-otlp-proto",
  "@opentelemetry/exporter-zipkin",
  "@opentelemetry/otlp-exporter-base",
  "@opentelemetry/otlp-grpc-exporter-base",
];

export const latePackagesFile = "late-packages.cjs";

const ofSdk = createRequire(
  createRequire(join(import.meta.dirname, "../../libs/platform/telemetry/package.json")).resolve(
    "@opentelemetry/sdk-node",
  ),
);

/** A module with a function that loads one of the packages; each is evaluated when it is asked for. */
export function latePackagesEntry(): string {
  const cases = names.map(
    (name) => `case ${JSON.stringify(name)}: return require(${JSON.stringify(ofSdk.resolve(name))});`,
  );
  return `module.exports = (name) => { switch (name) { ${cases.join("\n")} } };`;
}

/** Functions and classes load the package when they are called; enums are as they are. */
function standIn(name: string): string {
  const lines = Object.entries(ofSdk(name) as Readonly<Record<string, unknown>>)
    .filter(([key]) => key !== "default" && key !== "__esModule")
    .map(([key, value]) =>
      typeof value === "function"
        ? `export const ${key} = function (...args) { return new.target === undefined ? load().${key}(...args) : new (load().${key})(...args); };`
        : `export const ${key} = ${JSON.stringify(value)};`,
    );
  return `import { createRequire } from "node:module";
let loaded;
const load = () => (loaded ??= createRequire(import.meta.url)("./${latePackagesFile}")(${JSON.stringify(name)}));
${lines.join("\n")}`;
}

/** Imports of the packages get stand-ins. */
export const latePackages: Plugin = {
  name: "late packages",
  setup(build) {
    build.onResolve({ filter: /^@opentelemetry\// }, ({ path, importer }) =>
      names.includes(path) && /\/(sdk-node\/|telemetry\/src\/)/.test(importer)
        ? { path, namespace: "late" }
        : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: "late" }, ({ path }) => ({ contents: standIn(path), loader: "js" }));
  },
};
