/**
 * `node tools/build/bundle.ts <apps/sidecar | apps/edge-gateway> <folder>`: one proxy as few minified files that need no node_modules.
 * `npm run build` makes `dist/sidecar` and `dist/edge-gateway` so; images run these, and benchmarks measure them.
 */
import { bundleApp, bundledApps } from "./bundle-app.ts";

const [app, folder] = process.argv.slice(2);
if (app === undefined || folder === undefined || !bundledApps.includes(app)) {
  process.stderr.write(`usage: bundle.ts <${bundledApps.join(" | ")}> <folder>\n`);
  process.exit(64);
}
process.stdout.write(`${folder}: ${await bundleApp(app, folder)} KiB of JavaScript\n`);
