import { styleText } from "node:util";

type Colour = "bold" | "dim" | "green" | "red" | "yellow" | "cyan";

/** Colours text, or leaves it as it is. */
export type Style = (colour: Colour, text: string) => string;

export const plainStyle: Style = (_colour, text) => text;

/** Colours for a terminal that shows them; plain text for files, pipes, and where NO_COLOR is set. */
export function styleFor(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Style {
  if (stream.isTTY !== true || (environment["NO_COLOR"] ?? "") !== "") return plainStyle;
  return (colour, text) => styleText(colour, text, { validateStream: false });
}
