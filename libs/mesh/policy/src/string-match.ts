import { z } from "zod";
import { regexProblem } from "./regex.ts";

export interface StringMatch {
  readonly kind: "exact" | "prefix" | "regex" | "present";
  /** Empty when `present`. */
  readonly value: string;
}

const text = z.string().min(1).max(4096);

function matchOf(whenEmpty: "present" | undefined) {
  return z
    .strictObject({ exact: text.optional(), prefix: text.optional(), regex: text.optional() })
    .transform((match, context): StringMatch => {
      const given = (["exact", "prefix", "regex"] as const).filter((kind) => match[kind] !== undefined);
      const kind = given[0] ?? whenEmpty;
      if (kind === undefined || given.length > 1) {
        context.addIssue({ code: "custom", message: "expected exactly one of exact, prefix, regex" });
        return z.NEVER;
      }
      const value = kind === "present" ? "" : match[kind]!;
      // As in Istio: a header of any value, which RE2 would refuse as a pattern.
      if (whenEmpty === "present" && kind === "regex" && value === "*") return { kind: "present", value: "" };
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
