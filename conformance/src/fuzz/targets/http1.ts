import assert from "node:assert/strict";
import {
  CHUNKED,
  defaultParserLimits,
  Http1Error,
  type Http1RequestHead,
  Http1RequestParser,
  type ParserLimits,
  serializeRequestHead,
} from "@fairlead/codec-http1";
import { type FuzzTarget, outcomeOf, pieces, words } from "../fuzz-target.ts";

/** Complete messages; bodies joined, as their pieces depend on how bytes were split. */
interface Reading {
  readonly messages: { readonly head: Http1RequestHead; body: string; ended: boolean }[];
  readonly error: unknown;
}

function readRequests(limits: ParserLimits, parts: readonly Buffer[]): Reading {
  const messages: Reading["messages"] = [];
  const sink = {
    onHead: (head: Http1RequestHead) => messages.push({ head, body: "", ended: false }),
    onData: (slice: Buffer) => (messages.at(-1)!.body += slice.toString("latin1")),
    onEnd: () => (messages.at(-1)!.ended = true),
  };
  const parser = new Http1RequestParser(sink, limits);
  try {
    for (const part of parts) for (let at = 0; at < part.length;) at = parser.execute(part, at);
  } catch (error) {
    assert(error instanceof Http1Error, String(error));
    return { messages, error };
  }
  return { messages, error: undefined };
}

/** What a proxy writes of a request is read as the same request. */
function checkRoundTrip(limits: ParserLimits, head: Http1RequestHead): void {
  const { method, path, authority, headers, upgrade } = head;
  const framing = { chunked: head.framing === CHUNKED, close: false, empty: false, upgrade };
  const bytes = Buffer.from(serializeRequestHead(method, path, authority, headers, framing), "latin1");
  const { messages, error } = readRequests(limits, [bytes]);
  // The limits are those of what came, and what is written may be a little longer.
  if (error instanceof Http1Error && error.status === 431) return;
  assert.equal(error, undefined);
  const [again] = messages;
  assert(again !== undefined);
  for (const field of ["method", "path", "authority", "framing", "headers", "upgrade"] as const)
    assert.deepEqual(again.head[field], head[field], field);
}

/** The first byte says what is allowed. */
export const http1Target: FuzzTarget = {
  name: "http1",
  sources: ["libs/codec/http1/src"],
  seeds: () =>
    words(
      "\0GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "\0POST /x?y HTTP/1.1\r\nHost: a:80\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "\u0004POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\nT: x\r\n\r\n",
      "\0GET http://b/ HTTP/1.1\r\nHost: a\r\nConnection: close, X\r\nX: 1\r\nTE: trailers\r\nExpect: 100-continue\r\n\r\n",
      "\0OPTIONS * HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nKeep-Alive: timeout=5\r\n\r\n",
      "\u0001CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
      "\u0002GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    ),
  dictionary: words(
    "\r\n", "\r\n\r\n", "\n", "\r", "\0", "\t", " ", ":", ";", ",", "0\r\n\r\n", "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "http://", "https://",
    "Content-Length: ", "Transfer-Encoding: chunked\r\n", "Connection: ", "Host: a\r\n", "Upgrade: h2c\r\n", "Expect: 100-continue\r\n",
    "TE: trailers\r\n", "Trailer: x\r\n", "Proxy-Connection: close\r\n", "Keep-Alive: timeout=1\r\n", "CONNECT a:443 ", "PRI * HTTP/2.0", "%00", "#", "\x80", "\xff",
  ),
  run(bytes) {
    const flags = bytes[0] ?? 0;
    const limits = {
      ...defaultParserLimits,
      allowConnect: (flags & 1) !== 0,
      acceptHttp10: (flags & 2) !== 0,
      allowChunkedLength: (flags & 4) !== 0,
    };
    const rest = bytes.subarray(1);
    const whole = readRequests(limits, [rest]);
    const split = readRequests(limits, pieces(rest));
    assert.equal(split.error === undefined, whole.error === undefined, "refused, or not, by how it is split");
    if (whole.error === undefined) assert.deepEqual(split.messages, whole.messages);
    // A bare LF is seen before the end of its head is; what came before it is the same.
    const common = Math.min(whole.messages.length, split.messages.length);
    assert.deepEqual(split.messages.slice(0, common - 1), whole.messages.slice(0, common - 1));
    for (const { head } of whole.messages) checkRoundTrip(limits, head);
    return `${Math.min(3, whole.messages.length)} ${whole.error === undefined ? "" : outcomeOf(whole.error)}`;
  },
}; // prettier-ignore
