import { STATUS_CODES } from "node:http";

/** What a head says about its connection and body, apart from its own headers. */
export interface HeadFraming {
  /** Adds `transfer-encoding: chunked`. */
  readonly chunked: boolean;
  /** Adds `connection: close`. */
  readonly close: boolean;
  /** Adds `content-length: 0`. */
  readonly empty: boolean;
  /** Adds `connection: upgrade` and what the connection goes on with; `connect` adds nothing. */
  readonly upgrade?: string | undefined;
}

const statusLines: string[] = [];
for (let status = 100; status < 1000; status++) {
  statusLines[status] = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n`;
}

/** The whole head in latin1, with its empty line. The parts come from a parser or from checked configuration: no CR, LF or NUL. */
export function serializeRequestHead(
  method: string,
  path: string,
  authority: string,
  headers: readonly string[],
  framing: HeadFraming,
): string {
  return finish(`${method} ${path === "" ? authority : path} HTTP/1.1\r\nhost: ${authority}\r\n`, headers, framing);
}

export function serializeResponseHead(status: number, headers: readonly string[], framing: HeadFraming): string {
  return finish(statusLines[status] ?? `HTTP/1.1 ${status} Unknown\r\n`, headers, framing);
}

function finish(firstLines: string, headers: readonly string[], framing: HeadFraming): string {
  let head = firstLines;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  if (framing.chunked) head += "transfer-encoding: chunked\r\n";
  if (framing.empty) head += "content-length: 0\r\n";
  if (framing.upgrade !== undefined && framing.upgrade !== "connect")
    head += `connection: upgrade\r\nupgrade: ${framing.upgrade}\r\n`;
  if (framing.close) head += "connection: close\r\n";
  return `${head}\r\n`;
}

/** For those who compare names as they are written, against RFC 9110 §5.1: `content-type` becomes `Content-Type`. @param head with its first line */
export function properCaseNames(head: string): string {
  return head.replaceAll(/\r\n[a-z][^:\r\n]*(?=:)/g, (name) =>
    name.replaceAll(/(?:^\r\n|[^a-z])[a-z]/g, (start) => start.toUpperCase()),
  );
}
