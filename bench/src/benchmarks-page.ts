import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const page = join(import.meta.dirname, "../../docs/benchmarks.md");

/** Replaces the part of docs/benchmarks.md that a benchmark writes; the rest of the page stays. */
export function writeSection(script: string, text: string): void {
  const begin = `<!-- Written by \`npm run ${script}\`. -->`;
  const end = `<!-- End of \`npm run ${script}\`. -->`;
  const section = `${begin}\n\n${text.trim()}\n\n${end}`;
  const content = readFileSync(page, "utf8");
  const [from, to] = [content.indexOf(begin), content.indexOf(end)];
  const next =
    from === -1 || to === -1
      ? `${content.trimEnd()}\n\n${section}\n`
      : content.slice(0, from) + section + content.slice(to + end.length);
  writeFileSync(page, next);
}
