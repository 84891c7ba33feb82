import { createRequire } from "node:module";
import type { RE2 } from "re2-wasm";
import { z } from "zod";
import { parseDuration } from "./duration.ts";

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
function regexProblem(pattern: string): string | undefined {
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

/** An interface such as `shop.Reviews`. Wildcards are not implemented. */
export const hostName = z
  .string()
  .regex(
    /^[A-Za-z0-9_]([A-Za-z0-9_.$-]{0,251}[A-Za-z0-9_])?$/,
    "expected the interface of a service, such as shop.Reviews; wildcards and addresses are not implemented",
  );

export const objectName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, "expected up to 253 of a-z 0-9 . -");

export const labels = z.record(z.string().min(1).max(253), z.string().max(63));

export const durationMs = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: "custom", message: `expected a duration such as 500ms, 10s or 1m30s, at most 24h` });
  return z.NEVER;
});

const text = z.string().min(1).max(4096);

function matchOf(whenEmpty: "present" | undefined) {
  return z
    .strictObject({ exact: text.optional(), prefix: text.optional(), regex: text.optional() })
    .transform((match, context) => {
      const given = (["exact", "prefix", "regex"] as const).filter((kind) => match[kind] !== undefined);
      const kind = given[0] ?? whenEmpty;
      if (kind === undefined || given.length > 1) {
        context.addIssue({ code: "custom", message: "expected exactly one of exact, prefix, regex" });
        return z.NEVER;
      }
      const value = kind === "present" ? "" : match[kind]!;
      const problem = kind === "regex" ? regexProblem(value) : undefined;
      if (problem !== undefined) {
        context.addIssue({ code: "custom", message: `not a regular expression in RE2 syntax: ${problem}` });
        return z.NEVER;
      }
      return { kind, value };
    });
}

/** Exactly one of exact, prefix, regex. */
export const stringMatch = matchOf(undefined);

/** As Istio has it for headers: an empty match `{}` means that the header is there. */
export const headerMatch = matchOf("present");

/** Lower-case token of RFC 9110; pseudo-headers have fields of their own. */
export const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, "expected the name of a header");
