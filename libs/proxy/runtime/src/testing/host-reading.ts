/** A request as a host understood it. */
export interface HostReading {
  readonly line: string;
  readonly body: string;
}

interface Taken {
  readonly request: HostReading;
  /** Where the next request begins. */
  readonly end: number;
}

const requestLine = /^[A-Z]+ (\*|\/[!-~]*) HTTP\/1\.1$/;
const field = /^[!#$%&'*+\-.^_`|~0-9a-z]+: ?([!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/;

/** As RFC 9112 has it and nothing else. @returns a text for what is wrong, undefined when the request is not complete */
export function strictly(text: string, start: number): Taken | string | undefined {
  const headEnd = text.indexOf("\r\n\r\n", start);
  if (headEnd === -1) return undefined;
  const [line = "", ...fields] = text.slice(start, headEnd).split("\r\n");
  if (!requestLine.test(line)) return `not a request line: ${JSON.stringify(line)}`;
  for (const each of fields) if (!field.test(each)) return `not a field: ${JSON.stringify(each)}`;
  const values = (name: string): string[] =>
    fields.filter((each) => each.startsWith(`${name}:`)).map((each) => each.slice(name.length + 1).trim());
  const lengths = values("content-length");
  const codings = values("transfer-encoding");
  if (values("host").length !== 1) return "not one host";
  if (lengths.length + codings.length > 1) return "more than one length";
  if (codings.length === 1) {
    if (codings[0] !== "chunked") return `transfer-encoding ${codings[0]}`;
    return strictChunks(line, text, headEnd + 4);
  }
  const length = lengths[0] ?? "0";
  if (!/^\d+$/.test(length)) return `content-length ${length}`;
  const end = headEnd + 4 + Number(length);
  return text.length < end ? undefined : { request: { line, body: text.slice(headEnd + 4, end) }, end };
}

function strictChunks(line: string, text: string, start: number): Taken | string | undefined {
  let body = "";
  for (let at = start; ;) {
    const sizeEnd = text.indexOf("\r\n", at);
    if (sizeEnd === -1) return undefined;
    const digits = text.slice(at, sizeEnd);
    if (!/^[0-9a-f]{1,8}$/.test(digits)) return `chunk size ${JSON.stringify(digits)}`;
    const size = Number.parseInt(digits, 16);
    const end = sizeEnd + 2 + size;
    if (text.length < end + 2) return undefined;
    if (text.slice(end, end + 2) !== "\r\n") return "a chunk without its end";
    if (size === 0) return { request: { line, body }, end: end + 2 };
    body += text.slice(sizeEnd + 2, end);
    at = end + 2;
  }
}

/**
 * As the careless do: any line end, blanks anywhere, `chunked` anywhere in any Transfer-Encoding, else the last length that can be made
 * a number.
 */
export function leniently(text: string, start: number): Taken | undefined {
  const rest = text.slice(start);
  const blank = /\r?\n\r?\n/.exec(rest);
  if (blank === null) return undefined;
  const headEnd = start + blank.index + blank[0].length;
  const [line = "", ...fields] = rest.slice(0, blank.index).split(/\r?\n|\r/);
  let chunked = false;
  let length = 0;
  for (const each of fields) {
    const [name = "", value = ""] = each.split(/:(.*)/s, 2).map((part) => part.trim().toLowerCase());
    if (/^transfer[-_]encoding$/.test(name) && value.includes("chunked")) chunked = true;
    if (/^content[-_]length$/.test(name)) length = Math.max(0, Number.parseInt(value, 10) || 0);
  }
  if (chunked) return lenientChunks(line, text, headEnd);
  const end = headEnd + length;
  return text.length < end ? undefined : { request: { line, body: text.slice(headEnd, end) }, end };
}

function lenientChunks(line: string, text: string, start: number): Taken | undefined {
  let body = "";
  for (let at = start; ;) {
    const found = /^(?:\r?\n)?[\s+]*(?:0x)?([0-9a-fA-F]+)[^\n]*\n/.exec(text.slice(at));
    if (found === null) return undefined;
    const size = Number.parseInt(found[1] ?? "0", 16);
    const from = at + found[0].length;
    if (size === 0) {
      // Trailers, up to an empty line.
      const end = /^(?:[^\r\n]+\r?\n)*\r?\n/.exec(text.slice(from));
      return end === null ? undefined : { request: { line, body }, end: from + end[0].length };
    }
    if (text.length < from + size) return undefined;
    body += text.slice(from, from + size);
    at = from + size;
  }
}
