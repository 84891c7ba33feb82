import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { build, type BuildOptions } from "esbuild";
import { notInDataPlane } from "./package-manifest.ts";
import { latePackages, latePackagesEntries } from "./late-packages.ts";
import { lazyBuiltins } from "./lazy-builtins.ts";
import { englishOnly, withoutProtoOptions } from "./smaller-sources.ts";

const repository = join(import.meta.dirname, "../..");

/** Proxies: there is one beside each application, so what they take is taken many times. */
export const bundledApps: readonly string[] = ["apps/sidecar", "apps/edge-gateway"];

/** Where `npm run build` puts it, from the repository's root. */
export function bundleFolder(app: string): string {
  return `dist/${basename(app)}`;
}

/** Packages that filters of third parties import: they get the bundle's own, so that what they register is seen. */
const sharedPackages: Readonly<Record<string, string>> = { "@fairlead/proxy-filter": "libs/proxy/filter/src/index.ts" };

const common = {
  absWorkingDir: repository,
  bundle: true,
  platform: "node",
  target: "node24",
  minifyWhitespace: true,
  minifySyntax: true,
  // Names stay: they are in stack traces, and in the `type` of an error in the log. Short ones save no memory worth it.
  minifyIdentifiers: false,
  legalComments: "none",
  // Files of their own, which only the inspector and `--enable-source-maps` read.
  sourcemap: "linked",
  sourcesContent: false,
  logLevel: "warning",
} as const satisfies BuildOptions;

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** @throws when the store or the bus got into a proxy */
function checkContent(app: string, files: readonly string[]): void {
  const packages = files.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
  const burdens = new Set(packages.filter((name) => notInDataPlane.test(name)));
  if (burdens.size > 0) throw new Error(`the bundle of ${app} must not hold ${[...burdens].join(", ")}`);
}

/**
 * `main.js`, `worker-thread.js` and `watchdog-thread.js` beside it, chunks that both use or that are loaded later, and a stub in `node_modules` for each shared
 * package, which leads to the same chunks.
 *
 * @returns KiB of JavaScript
 */
export async function bundleApp(app: string, folder: string): Promise<number> {
  rmSync(folder, { recursive: true, force: true });
  const shared = Object.entries(sharedPackages).map(([name, source]) => ({ name, source, entry: basename(name) }));
  const { metafile } = await build({
    ...common,
    entryPoints: {
      main: `${app}/src/main.ts`,
      "worker-thread": "libs/proxy/runtime/src/workers/worker-thread.ts",
      "watchdog-thread": "libs/proxy/runtime/src/watchdog/watchdog-thread.ts",
      ...Object.fromEntries(shared.map(({ entry, source }) => [entry, source])),
    },
    outdir: folder,
    format: "esm",
    splitting: true,
    chunkNames: "chunk-[hash]",
    metafile: true,
    // CommonJS packages require Node's own modules.
    banner: { js: 'import{createRequire as makeRequire}from"node:module";const require=makeRequire(import.meta.url);' },
    plugins: [latePackages, lazyBuiltins, englishOnly, withoutProtoOptions],
  });
  checkContent(app, Object.keys(metafile.inputs));
  const late = await Promise.all(
    Object.entries(latePackagesEntries()).map(([file, contents]) =>
      build({
        ...common,
        stdin: { contents, resolveDir: repository },
        outfile: join(folder, file),
        format: "cjs",
        metafile: true,
      }),
    ),
  );
  write(join(folder, "package.json"), '{ "type": "module" }\n');
  write(join(folder, "LICENSE"), readFileSync(join(repository, "LICENSE"), "utf8"));
  for (const { name, entry } of shared) {
    const stub = join(folder, "node_modules", name);
    write(join(stub, "package.json"), `${JSON.stringify({ name, type: "module", exports: "./index.js" })}\n`);
    write(join(stub, "index.js"), `export * from "../../../${entry}.js";\n`);
  }
  const outputs = [{ metafile }, ...late].flatMap((built) => Object.entries(built.metafile.outputs));
  const bytes = outputs.reduce((sum, [file, output]) => sum + (file.endsWith(".map") ? 0 : output.bytes), 0);
  return Math.round(bytes / 1024);
}
