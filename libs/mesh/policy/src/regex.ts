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

/** No person writes so many, and our own proxy takes no more than 200. */
const maxGroups = 150;

/** What RE2 takes, and our own proxy does not: bytes, octal numbers, and characters that no header can hold. */
function notOfProxies(pattern: string): string | undefined {
  if ((pattern.match(/\(/g)?.length ?? 0) > maxGroups) return `more than ${maxGroups} groups`;
  for (const [escape, , hex = "0"] of pattern.matchAll(/\\(x\{([0-9A-Fa-f]+)\}|[^])/g)) {
    if (/^\\[C0-9]$/.test(escape) || Number.parseInt(hex, 16) > 0xff_ff) return `${escape} is not supported`;
  }
  return undefined;
}

/** @returns what is wrong with the pattern; undefined when all proxies take it: it is in RE2's syntax, but for what nobody uses of it */
export function regexProblem(pattern: string): string | undefined {
  const problem = notOfProxies(pattern);
  if (problem !== undefined) return problem;
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
