import type { HeaderTemplate } from "@fairlead/proxy-router";
import { headerOperators } from "./format/command-operators.ts";
import { parseFormat } from "./format/parse-format.ts";
import { StreamInfo } from "./stream-info.ts";

export const templateOperators: readonly string[] = [...headerOperators.keys()];

/**
 * The value of a header: text with command operators (`%NAME%`, `%REQ(x-a?x-b):20%`); `%%` is a percent sign. What an operator
 * does not know is nothing.
 *
 * @returns the text itself where it has none; undefined for a text that has an operator which is not known
 */
export function compileHeaderTemplate(text: string): string | HeaderTemplate | undefined {
  const parts = parseFormat(text, headerOperators);
  if (parts === undefined) return undefined;
  if (parts.every((part) => typeof part === "string")) return parts.join("");
  return {
    render: (stream) => {
      if (!(stream instanceof StreamInfo)) return "";
      return clean(parts.map((part) => (typeof part === "string" ? part : (part(stream) ?? ""))).join(""));
    },
  };
}

/** What came from a client or host must not be able to end the header. */
function clean(value: string): string {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? value : value.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, "");
}
