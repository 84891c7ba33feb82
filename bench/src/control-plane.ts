/** `npm run bench:control-plane`: what the control plane costs, and how fast a change reaches all proxies. Writes docs/benchmarks.md. */
import { writeSection } from "./benchmarks-page.ts";
import { bench } from "./control-plane/bench.ts";
import { readOptions } from "./control-plane/options.ts";
import { endAtSignals } from "./control-plane/end-at-signals.ts";
import { Progress } from "./control-plane/progress.ts";
import { report } from "./control-plane/report.ts";

endAtSignals();
const args = process.argv.slice(2);
const options = readOptions(args);
const progress = new Progress();
const results = await bench(options, args, progress);
progress.done();
const text = report(results);
process.stdout.write(options.json ? `${JSON.stringify(results, undefined, 2)}\n` : text);
if (!options.json && !options.quick) writeSection("bench:control-plane", text);
