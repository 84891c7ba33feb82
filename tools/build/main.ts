/**
 * `npm run build`: compiles apps and libs to `dist/`, a npm workspace of its own that runs without TypeScript:
 *
 *   node tools/build/install-app.ts apps/sidecar /tmp/sidecar && node /tmp/sidecar/apps/sidecar/src/main.js
 *
 * The tree is the repository's, so that paths in messages and stack traces are known ones. Tests are left out. Proxies are also made into few
 * files that need nothing else, which is what their images hold:
 *
 *   node dist/sidecar/main.js
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readCommandLine } from "@fairlead/lifecycle";
import { bundleApp, bundledApps, bundleFolder } from "./bundle-app.ts";
import { compiledManifest, type PackageManifest, sidecarBurdens } from "./package-manifest.ts";

readCommandLine({
  usage: "npm run build\nCompiles apps and libs to dist/, and makes each proxy into few files.",
});
const repository = join(import.meta.dirname, "../..");
const dist = join(repository, "dist");

interface RootManifest extends PackageManifest {
  readonly workspaces: readonly string[];
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function readManifest(folder: string): PackageManifest {
  return JSON.parse(readFileSync(join(repository, folder, "package.json"), "utf8")) as PackageManifest;
}

const root = readManifest(".") as RootManifest;
const folders = globSync([...root.workspaces], { cwd: repository }).filter(
  (folder) => !folder.startsWith("examples") && existsSync(join(repository, folder, "package.json")),
);
const manifests = new Map(folders.map((folder) => [folder, readManifest(folder)]));

const burdens = sidecarBurdens(new Map([...manifests.values()].map((manifest) => [manifest.name, manifest])));
if (burdens.length > 0) fail(burdens.join("\n"));

rmSync(dist, { recursive: true, force: true });
const compile = spawnSync(join(repository, "node_modules/.bin/tsc"), ["-p", "tsconfig.build.json"], {
  cwd: repository,
  stdio: "inherit",
});
if (compile.status !== 0) fail("the sources do not compile");

function writeManifest(folder: string, manifest: object): void {
  const target = join(dist, folder, "package.json");
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, `${JSON.stringify(manifest, undefined, 2)}\n`);
}

// The lock file names all workspaces, also those that have nothing to run, and the root's devDependencies.
writeManifest(".", { ...compiledManifest(root), devDependencies: root.devDependencies });
for (const [folder, manifest] of manifests) writeManifest(folder, compiledManifest(manifest));
for (const file of ["package-lock.json", ".npmrc", "LICENSE"]) cpSync(join(repository, file), join(dist, file));
for (const folder of globSync(["libs/api/*/gen", "apps/samples/*/policies"], { cwd: repository })) {
  cpSync(join(repository, folder), join(dist, folder), { recursive: true });
}
process.stdout.write(`dist: ${folders.length} packages\n`);

for (const app of bundledApps) {
  const folder = bundleFolder(app);
  process.stdout.write(`${folder}: ${await bundleApp(app, join(repository, folder))} KiB of JavaScript\n`);
}
