/**
 * npm run fuzz -- --codec NAME [--seconds 60] [--seed N] [--save] [--missed]
 *
 * Feeds a codec with mutations of what it knows, keeps those that run code which none before has run, and stops at the first that breaks
 * a promise (conformance/src/fuzz/targets say which). That one is made as small as it can be, and written to a file.
 *
 * --save writes what was found to conformance/src/fuzz/corpus, which the tests replay. --missed prints the lines that never ran.
 *
 * Exit code: 0 nothing found, 1 a promise is broken, 2 wrong options.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endWrongUsage, flag, oneOf, readCommandLine, wholeNumber } from "@fairlead/lifecycle";
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

const { codec, seconds, seed, save, missed } = readCommandLine({
  usage: "npm run fuzz -- --codec NAME [options]",
  options: {
    codec: oneOf(Object.keys(fuzzTargets), "what is fuzzed"),
    seconds: wholeNumber(60, "s that it runs, or until a promise is broken"),
    seed: wholeNumber(Date.now() % 2 ** 31, "of the mutations"),
    save: flag("writes what was found to conformance/src/fuzz/corpus"),
    missed: flag("prints the lines that never ran"),
  },
}).options;
if (codec === undefined) endWrongUsage("--codec is missing");
const folder = join(tmpdir(), "fairlead-fuzz");
mkdirSync(folder, { recursive: true });

// Before the sources are loaded: what runs only then counts, too.
using coverage = new BlockCoverage();
const target = await fuzzTargets[codec]!();
coverage.watch(target.sources);
await using watchdog = new Watchdog(MAX_BYTES, HANG_MS, join(folder, `${codec}-hang.bin`));
const random = new Random(seed);
const fuzzer = new Fuzzer(target, coverage, { maxBytes: MAX_BYTES, random, begins: (input) => watchdog.begins(input) });
fuzzer.start([...target.seeds(), ...readCorpus(codec)]);
process.stdout.write(
  `${codec}: seed ${seed}, ${fuzzer.corpus.length} inputs, ${coverage.percent.toFixed(1)} % of the code\n`,
);

const started = performance.now();
const until = started + seconds * 1000;
let good = fuzzer.failure === undefined;
while (good && performance.now() < until) good = fuzzer.step();

const took = (performance.now() - started) / 1000;
process.stdout.write(
  `${codec}: ${fuzzer.executions} runs in ${took.toFixed(0)} s, ${Math.round(fuzzer.executions / took)} a second; ` +
    `${fuzzer.corpus.length} inputs, ${coverage.percent.toFixed(1)} % of the code\n`,
);
if (missed) for (const line of coverage.missed()) process.stdout.write(`  ${line}\n`);
if (fuzzer.failure !== undefined) {
  const { input, reason } = minimise(target.run, fuzzer.failure);
  const file = join(folder, `${codec}-${Date.now()}.bin`);
  writeFileSync(file, input);
  process.stdout.write(`BROKEN: ${reason}\n${input.length} bytes in ${file}: ${input.toString("hex")}\n`);
  process.exitCode = 1;
}
if (save) writeCorpus(codec, smallestCorpus(target, fuzzer.corpus));
