import { createRequire } from "node:module";
import { join } from "node:path";
import type { Plugin } from "esbuild";

const libs = join(import.meta.dirname, "../../libs");

/** What a package that depends on it would get. @param path whose packages to begin with, and the packages that lead there */
function requireOf(...[path, ...through]: readonly [string, ...string[]]): NodeJS.Require {
  return through.reduce(
    (from, name) => createRequire(from.resolve(name)),
    createRequire(join(libs, path, "package.json")),
  );
}

/** Packages that a few proxies use, or none, and that others import all the same. In a bundle they are a file of their own. */
interface LatePackages {
  readonly names: readonly string[];
  /** Whose imports are meant. */
  readonly importer: RegExp;
  readonly require: NodeJS.Require;
  /** They are imported where they are needed, so that the import may load them. @default the first use of one of their functions does */
  readonly whenNeeded?: boolean;
}

const groups: Readonly<Record<string, LatePackages>> = {
  // Exporters of every kind, with gRPC and protobuf of their own, and the reader of configuration files.
  "late-opentelemetry.cjs": {
    names: [
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
    ],
    importer: /\/(sdk-node\/|telemetry\/src\/)/,
    require: requireOf("platform/telemetry", "@opentelemetry/sdk-node"),
  },
  // Compilers of JSON schemas, which `createHttpApi` does without, and requests without a connection, which are for tests.
  "late-fastify.cjs": {
    names: ["@fastify/ajv-compiler", "@fastify/fast-json-stringify-compiler", "light-my-request"],
    importer: /\/node_modules\/fastify\//,
    require: requireOf("platform/http-api", "fastify"),
    whenNeeded: true,
  },
  // openapi.json is not written as YAML.
  "late-swagger.cjs": {
    names: ["yaml"],
    importer: /\/@fastify\/swagger\//,
    require: requireOf("platform/http-api", "@fastify/swagger"),
  },
  // Services of gRPC's own: channelz and ORCA.
  "late-grpc.cjs": {
    names: ["@grpc/proto-loader"],
    importer: /\/@grpc\/grpc-js\//,
    require: requireOf("proxy/xds-client", "@grpc/grpc-js"),
    whenNeeded: true,
  },
};

/** By the name of their file. */
export const latePackageNames: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(groups).map(([file, { names }]) => [file, names]),
);

/** By the name of its file: the source of a module with a function that loads one of the packages; each is evaluated when it is asked for. */
export function latePackagesEntries(): Readonly<Record<string, string>> {
  const entries = Object.entries(groups).map(([file, { names, require }]) => {
    const cases = names.map(
      (name) => `case ${JSON.stringify(name)}: return require(${JSON.stringify(require.resolve(name))});`,
    );
    return [file, `module.exports = (name) => { switch (name) { ${cases.join("\n")} } };`] as const;
  });
  return Object.fromEntries(entries);
}

const loadOf = (file: string, name: string): string => `require("./${file}")(${JSON.stringify(name)})`;

/** Functions and classes load the package when they are called; enums are as they are. */
function standIn(file: string, name: string, exports: object): string {
  const lines = Object.entries(exports)
    .filter(([key]) => key !== "default" && key !== "__esModule")
    .map(([key, value]) =>
      typeof value === "function"
        ? `export const ${key} = function (...args) { return new.target === undefined ? load().${key}(...args) : new (load().${key})(...args); };`
        : `export const ${key} = ${JSON.stringify(value)};`,
    );
  return `import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
let loaded;
const load = () => (loaded ??= ${loadOf(file, name)});
${lines.join("\n")}`;
}

function sourceOf(file: string, name: string): string {
  const { whenNeeded = false, require } = groups[file]!;
  // The bundle's own `require`, which esbuild is not to look into.
  if (whenNeeded) return `const late = require; module.exports = late("./${file}")(${JSON.stringify(name)});`;
  return standIn(file, name, require(name) as object);
}

/** Imports of the packages get stand-ins. */
export const latePackages: Plugin = {
  name: "late packages",
  setup(build) {
    for (const [file, { names, importer: ofThese }] of Object.entries(groups)) {
      build.onResolve({ filter: new RegExp(`^(${names.join("|")})$`) }, ({ path, importer }) =>
        ofThese.test(importer) ? { path, namespace: "late", pluginData: file } : undefined,
      );
    }
    build.onLoad({ filter: /.*/, namespace: "late" }, ({ path, pluginData }) => ({
      contents: sourceOf(String(pluginData), path),
      loader: "js",
    }));
  },
};
