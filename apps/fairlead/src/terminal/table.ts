import { stripVTControlCharacters } from "node:util";

const seen = (text: string): number => stripVTControlCharacters(text).length;

/** Breaks at spaces; a word that is longer than the line is cut. Colour codes may not be in what is broken. */
function wrap(cell: string, width: number): string[] {
  if (seen(cell) <= width) return [cell];
  const lines: string[] = [];
  let line = "";
  for (const word of cell.split(" ").flatMap((long) => long.match(new RegExp(`.{1,${width}}`, "gu")) ?? [""])) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/**
 * Columns for a terminal, padded by what is seen. A cell's own line breaks become spaces, as the reasons of NACKs have some.
 *
 * @param maxCellWidth longer cells go on below themselves. @default no limit
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: { readonly maxCellWidth?: number } = {},
): string {
  const width = options.maxCellWidth ?? Infinity;
  const lines = [head, ...rows].flatMap((row) => {
    const cells = head.map((_, column) => wrap((row[column] ?? "").replaceAll(/\s*[\r\n]+\s*/g, " "), width));
    const height = Math.max(...cells.map((cell) => cell.length));
    return Array.from({ length: height }, (_, line) => cells.map((cell) => cell[line] ?? ""));
  });
  const widths = head.map((_, column) => Math.max(...lines.map((line) => seen(line[column]!))));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell + " ".repeat(widths[column]! - seen(cell)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
