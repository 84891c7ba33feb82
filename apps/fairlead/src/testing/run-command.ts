import { Readable } from "node:stream";
import { createProgram } from "../program.ts";

/** Runs `fairlead <args>` within the process. */
export async function runCommand(
  args: readonly string[],
  input = "",
): Promise<{ code: number; out: string; err: string }> {
  let [code, out, err] = [0, "", ""];
  const program = createProgram(
    {
      out: { write: (text) => (out += text) },
      err: { write: (text) => (err += text) },
      exitCode: (value) => (code = value),
    },
    Readable.from([input]),
  );
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    const { exitCode } = error as { exitCode: number };
    code = exitCode === 0 ? 0 : 64;
  }
  return { code, out, err };
}
