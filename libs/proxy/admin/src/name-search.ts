import { FairleadError } from "@fairlead/errors";
import { compileString } from "@fairlead/proxy-router";

/** Of all names of a page together, in milliseconds: meanwhile the thread does nothing else. A person's expression takes a third of it for 50,000 names. */
const LIMIT_MS = 1000;

/**
 * As Envoy: an expression that occurs somewhere. The router's matcher takes linear time, but there may be very many names.
 *
 * @returns throws FL_REQUEST_INVALID, too, for an expression that takes too long
 * @throws FairleadError FL_REQUEST_INVALID
 */
export function searchOf(expression: string, now: () => number = () => performance.now()): (text: string) => boolean {
  const matches = usable(() => {
    // By itself first: `a)(b` is none.
    compileString({ kind: "regex", value: expression }, "filter");
    return compileString({ kind: "regex", value: `(?:.*)(?:${expression})(?:.*)` }, "filter");
  });
  let leftMs = LIMIT_MS;
  return (text) => {
    if (leftMs <= 0) throw unusable("it takes too long for so many names");
    const startMs = now();
    const found = usable(() => matches(text));
    leftMs -= now() - startMs;
    return found;
  };
}

function usable<Result>(use: () => Result): Result {
  try {
    return use();
  } catch (error) {
    throw unusable(error instanceof Error ? error.message : String(error));
  }
}

function unusable(reason: string): FairleadError {
  return new FairleadError("FL_REQUEST_INVALID", `the expression cannot be used: ${reason.slice(0, 200)}`);
}
