/** What stands around names in the texts of clients: `Error adding/updating cluster(s) outbound|http||shop.Orders: …`. */
const separators = /[\s"'`,;()[\]{}<>=]+/;
const trailing = /[.:!?]+$/;

/**
 * Which of a response's resources a client refuses, by the reason that it gives. Clients write prose, so this finds whole
 * words that are names. @returns all names when the reason has none of them: then nobody knows
 */
export function refusedNames(reason: string, names: readonly string[]): readonly string[] {
  const words = new Set<string>();
  for (const word of reason.split(separators)) {
    words.add(word);
    words.add(word.replace(trailing, ""));
  }
  const named = names.filter((name) => name !== "" && words.has(name));
  return named.length === 0 ? names : named;
}
