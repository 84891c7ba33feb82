import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const repository = join(import.meta.dirname, "../../../..");

export interface SidecarProgram extends Disposable {
  readonly main: string;
  /** undefined where it is what images hold. */
  readonly note?: string;
}

/** The sidecar from its sources, with the compiler that Node brings for TypeScript. */
export const sidecarSources: SidecarProgram = {
  main: join(repository, "apps/sidecar/src/main.ts"),
  note: "ran from its TypeScript sources, not as its image has it, which takes more memory",
  [Symbol.dispose]: () => undefined,
};

/** The sidecar as its image has it, in a folder that goes with it; from its sources where that cannot be built. */
export function buildSidecar(onFailure: (reason: string) => void): SidecarProgram {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-sidecar-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const command = [join(repository, "tools/build/bundle.ts"), "apps/sidecar", folder];
  const { status, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  if (status === 0) return { main: join(folder, "main.js"), [Symbol.dispose]: remove };
  remove();
  onFailure(stderr);
  return sidecarSources;
}
