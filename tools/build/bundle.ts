/**
 * `node tools/build/bundle.ts <apps/sidecar | apps/edge-gateway> <folder>`: one proxy as few minified files that need no node_modules.
 * `npm run build` makes `dist/sidecar` and `dist/edge-gateway` so; images run these, and benchmarks measure them.
 */
import { endWrongUsage, readCommandLine } from "@fairlead/lifecycle";
import { bundleApp, bundledApps } from "./bundle-app.ts";

const { words } = readCommandLine({
  usage: `node tools/build/bundle.ts <${bundledApps.join(" | ")}> <folder>`,
  words: [2, 2],
});
const [app, folder] = words as readonly [string, string];
if (!bundledApps.includes(app)) endWrongUsage(`there is ${bundledApps.join(", ")}, and no ${app}`);
process.stdout.write(`${folder}: ${await bundleApp(app, folder)} KiB of JavaScript\n`);
