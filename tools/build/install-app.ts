/**
 * What one image holds: `node tools/build/install-app.ts <workspace> <folder>` copies `dist/` to the folder, installs the production
 * dependencies of that app only, and takes out every workspace that it does not use. For a proxy it fails when the store or
 * the bus got in.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { readCommandLine } from "@fairlead/lifecycle";
import { bundledApps, bundleFolder } from "./bundle-app.ts";
import { dataPlaneApps, notInDataPlane } from "./package-manifest.ts";

const dist = join(import.meta.dirname, "../../dist");

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const { words } = readCommandLine({
  usage: "node tools/build/install-app.ts <workspace, e.g. apps/sidecar> <folder>",
  words: [2, 2],
});
const [workspace, target] = words as readonly [string, string];
if (!existsSync(join(dist, workspace, "package.json"))) fail(`dist has no ${workspace}; run \`npm run build\` first`);
const folder = resolve(target);
if (existsSync(folder) && readdirSync(folder).length > 0) fail(`${folder} is not empty`);

const bundles = new Set(bundledApps.map((app) => join(dist, "..", bundleFolder(app))));
cpSync(dist, folder, { recursive: true, filter: (path) => !bundles.has(path) });
const install = spawnSync(
  "npm",
  ["ci", "--omit=dev", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "-w", workspace],
  { cwd: folder, stdio: "inherit" },
);
if (install.status !== 0) fail(`npm ci for ${workspace} failed`);

const modules = join(folder, "node_modules");
const installed = readdirSync(modules)
  .filter((name) => !name.startsWith("."))
  .flatMap((name) =>
    name.startsWith("@") ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
  );
const ours = installed.filter((name) => name.startsWith("@fairlead/"));
const linked = new Set(ours.map((name) => realpathSync(join(modules, name))));
for (const manifest of globSync(
  [
    "apps/**/package.json",
    "libs/*/*/package.json",
    "tools/package.json",
    "conformance/package.json",
    "bench/package.json",
  ],
  {
    cwd: folder,
    exclude: (name) => name === "node_modules",
  },
)) {
  const path = join(folder, dirname(manifest));
  if (!linked.has(realpathSync(path))) rmSync(path, { recursive: true });
}

const { name } = JSON.parse(readFileSync(join(folder, workspace, "package.json"), "utf8")) as { name: string };
const burdens = dataPlaneApps.includes(name) ? installed.filter((dependency) => notInDataPlane.test(dependency)) : [];
if (burdens.length > 0) fail(`the image of ${name} must not hold ${burdens.join(", ")}`);
process.stdout.write(`${workspace}: ${ours.length} packages of Fairlead, ${installed.length - ours.length} others\n`);
