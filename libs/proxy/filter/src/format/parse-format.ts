import type { OperatorTable } from "./command-operators.ts";
import type { Operator } from "./operator.ts";

/** A text, or what is put in its place for each request. */
export type FormatPart = string | Operator;

/** An argument may hold percent signs (`%START_TIME(%s)%`) but no closing parenthesis, as in Envoy. */
const token = /%%|%([A-Z][A-Z0-9_]*)(?:\(([^)]*)\))?(?::(\d{1,5}))?%|[^%]+/y;

/**
 * Text with command operators (`%NAME%`, `%REQ(x-a?x-b):20%`); `%%` is a percent sign.
 *
 * @returns undefined for a text with an operator that is not in the table, an argument that it does not understand, or a lone `%`
 */
export function parseFormat(text: string, operators: OperatorTable): readonly FormatPart[] | undefined {
  const parts: FormatPart[] = [];
  for (let at = 0; at < text.length;) {
    token.lastIndex = at;
    const found = token.exec(text);
    if (found === null) return undefined;
    const [whole, name, argument, length] = found;
    at += whole.length;
    if (name === undefined) addText(parts, whole === "%%" ? "%" : whole);
    else {
      const operator = operators.get(name)?.(argument);
      if (operator === undefined) return undefined;
      parts.push(length === undefined ? operator : truncated(operator, Number(length)));
    }
  }
  return parts;
}

function addText(parts: FormatPart[], text: string): void {
  const last = parts.at(-1);
  if (typeof last === "string") parts[parts.length - 1] = last + text;
  else parts.push(text);
}

function truncated(operator: Operator, length: number): Operator {
  return (info) => {
    const value = operator(info);
    return typeof value === "string" ? value.slice(0, length) : value;
  };
}
