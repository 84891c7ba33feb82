/**
 * npm run fuzz -- --codec NAME [--seconds 60] [--seed N] [--save] [--missed]
 *
 * Feeds a codec with mutations of what it knows, keeps those that run code which none before has run, and stops at the first that breaks
 * a promise (conformance/src/fuzz/targets say which). That one is made as small as it can be, and written to a file.
 *
 * --save writes what was found to conformance/src/fuzz/corpus, which the tests replay. --missed prints the lines that never ran.
 *
 * Exit code: 0 nothing found, 1 a promise is broken, 64 no such codec.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BlockCoverage } from "./fuzz/block-coverage.ts";
import { readCorpus, writeCorpus } from "./fuzz/corpus-file.ts";
import { smallestCorpus } from "./fuzz/smallest-corpus.ts";
import { minimise } from "./fuzz/failure.ts";
import { Fuzzer } from "./fuzz/fuzzer.ts";
import { Random } from "./fuzz/random.ts";
import { fuzzTargets } from "./fuzz/targets/index.ts";
import { Watchdog } from "./fuzz/watchdog.ts";

const MAX_BYTES = 4096;
/** More than a hundred times what the slowest good input takes. */
const HANG_MS = 20_000;

const { values } = parseArgs({
  options: {
    codec: { type: "string" },
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    save: { type: "boolean", default: false },
    missed: { type: "boolean", default: false },
  },
});
const load = fuzzTargets[values.codec ?? ""];
if (load === undefined) {
  process.stderr.write(`--codec ${values.codec ?? ""}: known are ${Object.keys(fuzzTargets).join(", ")}\n`);
  process.exit(64);
}
const name = values.codec ?? "";
const folder = join(tmpdir(), "fairlead-fuzz");
mkdirSync(folder, { recursive: true });

// Before the sources are loaded: what runs only then counts, too.
using coverage = new BlockCoverage();
const target = await load();
coverage.watch(target.sources);
await using watchdog = new Watchdog(MAX_BYTES, HANG_MS, join(folder, `${name}-hang.bin`));
const random = new Random(Number(values.seed));
const fuzzer = new Fuzzer(target, coverage, { maxBytes: MAX_BYTES, random, begins: (input) => watchdog.begins(input) });
fuzzer.start([...target.seeds(), ...readCorpus(name)]);
process.stdout.write(
  `${name}: seed ${values.seed}, ${fuzzer.corpus.length} inputs, ${coverage.percent.toFixed(1)} % of the code\n`,
);

const started = performance.now();
const until = started + Number(values.seconds) * 1000;
let good = fuzzer.failure === undefined;
while (good && performance.now() < until) good = fuzzer.step();

const seconds = (performance.now() - started) / 1000;
process.stdout.write(
  `${name}: ${fuzzer.executions} runs in ${seconds.toFixed(0)} s, ${Math.round(fuzzer.executions / seconds)} a second; ` +
    `${fuzzer.corpus.length} inputs, ${coverage.percent.toFixed(1)} % of the code\n`,
);
if (values.missed) for (const line of coverage.missed()) process.stdout.write(`  ${line}\n`);
if (fuzzer.failure !== undefined) {
  const { input, reason } = minimise(target.run, fuzzer.failure);
  const file = join(folder, `${name}-${Date.now()}.bin`);
  writeFileSync(file, input);
  process.stdout.write(`BROKEN: ${reason}\n${input.length} bytes in ${file}: ${input.toString("hex")}\n`);
  process.exitCode = 1;
}
if (values.save) writeCorpus(name, smallestCorpus(target, fuzzer.corpus));
