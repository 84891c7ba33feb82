import { readCommandLine } from "../command-line.ts";
import { wholeNumber } from "../command-options.ts";

const { times } = readCommandLine({ usage: "greets", options: { times: wholeNumber(1, "a greeting") } }).options;
process.stdout.write(`${Array(times).fill("hello").join(" ")}\n`);
