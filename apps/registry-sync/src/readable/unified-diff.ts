import { diff } from "node:util";
import { lineAnchors } from "./line-anchors.ts";

/** Lines around a change that are shown with it. */
const contextLines = 3;
/** Comparing costs the product of lines and differences: a longer piece is shown as wholly another. */
const maxComparedLines = 2000;

interface Line {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function* signed(sign: Line["sign"], texts: readonly string[]): Generator<Line> {
  for (const text of texts) yield { sign, text };
}

/** Between two lines that stay. What is the same at both ends is not left to `diff`, which may pair it with what stands elsewhere. */
function* comparePiece(before: readonly string[], after: readonly string[]): Generator<Line> {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  yield* signed(" ", before.slice(0, start));
  const removed = before.slice(start, before.length - end);
  const added = after.slice(start, after.length - end);
  // `diff` does not take two empty lists.
  if (removed.length === 0 || added.length === 0 || removed.length + added.length > maxComparedLines) {
    yield* signed("-", removed);
    yield* signed("+", added);
  } else {
    for (const [operation, text] of diff(removed, added)) {
      yield { sign: operation === 0 ? " " : operation > 0 ? "-" : "+", text };
    }
  }
  yield* signed(" ", before.slice(before.length - end));
}

function* compare(before: readonly string[], after: readonly string[]): Generator<Line> {
  let at = { before: 0, after: 0 };
  for (const anchor of [...lineAnchors(before, after), { before: before.length, after: after.length }]) {
    yield* comparePiece(before.slice(at.before, anchor.before), after.slice(at.after, anchor.after));
    if (anchor.before < before.length) yield { sign: " ", text: before[anchor.before]! };
    at = { before: anchor.before + 1, after: anchor.after + 1 };
  }
}

/**
 * What differs between two texts, with three lines around it, as `diff -u` writes it without the names of files.
 *
 * @returns "" for texts of equal lines
 */
export function unifiedDiff(before: string, after: string): string {
  const lines = [...compare(linesOf(before), linesOf(after))];
  const changed = lines.flatMap(({ sign }, index) => (sign === " " ? [] : [index]));
  const hunks: { from: number; to: number }[] = [];
  for (const index of changed) {
    const last = hunks.at(-1);
    const to = Math.min(lines.length, index + contextLines + 1);
    if (last !== undefined && index - contextLines <= last.to) last.to = to;
    else hunks.push({ from: Math.max(0, index - contextLines), to });
  }
  let [oldLine, newLine, at] = [1, 1, 0];
  const pass = (to: number) => {
    for (; at < to; at++) {
      if (lines[at]!.sign !== "+") oldLine += 1;
      if (lines[at]!.sign !== "-") newLine += 1;
    }
  };
  const written = hunks.flatMap(({ from, to }) => {
    pass(from);
    const part = lines.slice(from, to);
    const range = (line: number, other: "-" | "+") => {
      const count = part.filter(({ sign }) => sign !== other).length;
      return `${count === 0 ? line - 1 : line},${count}`;
    };
    const head = `@@ -${range(oldLine, "+")} +${range(newLine, "-")} @@`;
    pass(to);
    return [head, ...part.map(({ sign, text }) => sign + text)];
  });
  return written.join("\n");
}
