import type { RequestRule } from "./rule.ts";

/**
 * Servers that make environment variables of headers take `a_b` and `a-b` for the same: who checked one may have passed the other.
 *
 * @param action of a request that has one: it is refused, or goes on without it
 */
export function underscoreRule(action: "reject" | "drop"): RequestRule {
  return ({ headers }, info) => {
    let name: string | undefined;
    while ((name = headers.fields.find((field, i) => i % 2 === 0 && field.includes("_"))) !== undefined) {
      if (action === "reject") return { status: 400, body: "", details: `${info.protocol}.unexpected_underscore` };
      headers.remove(name);
    }
    return undefined;
  };
}
