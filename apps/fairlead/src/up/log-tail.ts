import { open } from "node:fs/promises";

const maxBytes = 16 * 1024;

/** The last lines of a log file; JSON lines of ours in short. Empty when it cannot be read. */
export async function logTail(path: string, lines = 8): Promise<string[]> {
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    const start = Math.max(0, size - maxBytes);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(Math.min(size, maxBytes)),
      0,
      Math.min(size, maxBytes),
      start,
    );
    const whole = buffer.subarray(0, bytesRead).toString("utf8").split("\n");
    if (start > 0) whole.shift(); // begins in the middle
    return whole
      .filter((line) => line.trim() !== "")
      .slice(-lines)
      .map(shorten);
  } catch {
    return [];
  }
}

interface LogLine {
  readonly level?: unknown;
  readonly msg?: unknown;
  readonly err?: { readonly message?: unknown };
}

function shorten(line: string): string {
  if (!line.startsWith("{")) return line;
  try {
    const { level, msg, err } = JSON.parse(line) as LogLine;
    if (typeof msg !== "string") return line;
    const reason = typeof err?.message === "string" ? `: ${err.message}` : "";
    return `${typeof level === "string" ? `${level} ` : ""}${msg}${reason}`;
  } catch {
    return line;
  }
}
