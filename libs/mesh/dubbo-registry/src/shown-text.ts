/** Text of a registry for people: no longer than this, and nothing in it that a log or a database cannot take. */
export function shownText(text: string, maxLength: number): string {
  return text
    .slice(0, maxLength)
    .replaceAll(/\p{Cc}/gu, "?")
    .toWellFormed();
}
