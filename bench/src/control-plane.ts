/** `npm run bench:control-plane`: what the control plane costs, and how fast a change reaches all proxies. Writes docs/benchmarks.md. */
import { writeSection } from "./benchmarks-page.ts";
import { bench } from "./control-plane/bench.ts";
import { helpText, readOptions } from "./control-plane/options.ts";
import { endAtSignals } from "./control-plane/end-at-signals.ts";
import { Progress } from "./control-plane/progress.ts";
import { report } from "./control-plane/report.ts";

endAtSignals();
const args = process.argv.slice(2);
const options = optionsOrExit();
if (options === undefined) process.stdout.write(helpText);
else {
  const progress = new Progress();
  const results = await bench(options, args, progress);
  progress.done();
  const text = report(results);
  if (options.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
  else process.stdout.write(text);
  if (!options.json && !options.quick) writeSection("bench:control-plane", text);
}

function optionsOrExit() {
  try {
    return readOptions(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}; --help tells the options\n`);
    process.exit(2);
  }
}
