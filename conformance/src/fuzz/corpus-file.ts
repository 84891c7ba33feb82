import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Inputs that were found, one a line in hexadecimal. */
function fileOf(target: string): string {
  return join(import.meta.dirname, "corpus", `${target}.txt`);
}

export function readCorpus(target: string): Buffer[] {
  const file = fileOf(target);
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => Buffer.from(line, "hex"));
}

export function writeCorpus(target: string, inputs: readonly Buffer[]): void {
  const file = fileOf(target);
  mkdirSync(dirname(file), { recursive: true });
  const lines = inputs
    .map((input) => input.toString("hex"))
    .toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
  writeFileSync(file, `# Written by npm run fuzz -- --codec ${target} --save\n${lines.join("\n")}\n`);
}
