import { createRequire } from "node:module";
import type { RE2 } from "re2-wasm";

let engine: typeof RE2 | undefined;

/** The package makes its one engine when it is loaded; loaded afresh it makes another. */
function newEngine(): typeof RE2 {
  const load = createRequire(import.meta.url);
  for (const file of ["re2-wasm", "re2-wasm/build/wasm/re2"]) delete load.cache[load.resolve(file)];
  const module: { RE2: typeof RE2 } = load("re2-wasm");
  return module.RE2;
}

/** The engine has 16 MB for good, and keeps each program until it is told: without this, a thousand checks would be the last. */
function free(program: RE2): void {
  const wrapper: unknown = Reflect.get(program, "wrapper");
  if (typeof wrapper === "object" && wrapper !== null && "delete" in wrapper && typeof wrapper.delete === "function")
    wrapper.delete();
}

/** @returns what is wrong with the pattern; undefined when RE2, which the proxies use, takes it */
export function regexProblem(pattern: string): string | undefined {
  engine ??= newEngine();
  try {
    free(new engine(pattern, "u"));
    return undefined;
  } catch (error) {
    // It has aborted for want of memory.
    if (!(error instanceof SyntaxError)) engine = undefined;
    return error instanceof Error ? error.message : String(error);
  }
}
