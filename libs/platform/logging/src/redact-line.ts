const censor = "[redacted]";

/** `user:password@` of an URL, up to the last @ before the path. Quotes are escaped in a JSON line. */
const urlLogin = /(:\/\/)(?:[^\s/?#"\\]|\\.)*@/g;
/** `?password=` and the like in an URL or a form. */
const queryValue = /([?&;](?:password|passwd|secret|token|api_?key)=)(?:[^\s&;"\\]|\\.)*/gi;
/** A field of that name at any depth, with a string, a number, or an array of strings. */
const secretField =
  /("(?:password|passwd|passphrase|secret|token|api_?key|private_?key|authorization|proxy-authorization|cookie|set-cookie)":)(?:"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\])/gi;

/**
 * Takes secrets out of a log line, wherever in it they stand: libraries put connection URLs into error messages, stacks and
 * nested facts. A line of JSON stays one.
 */
export function redactLine(line: string): string {
  let redacted = line.replace(secretField, `$1"${censor}"`);
  if (redacted.includes("://")) redacted = redacted.replace(urlLogin, `$1${censor}@`);
  if (redacted.includes("=")) redacted = redacted.replace(queryValue, `$1${censor}`);
  return redacted;
}
