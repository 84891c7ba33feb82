import assert from "node:assert/strict";
import { Http1Error, type Http1ResponseHead, Http1ResponseParser } from "@fairlead/codec-http1";
import { type FuzzTarget, outcomeOf, pieces, words } from "../fuzz-target.ts";

const methods = ["GET", "HEAD", "POST"];

interface Reading {
  readonly messages: { readonly head: Http1ResponseHead; body: string; ended: boolean }[];
  readonly error: unknown;
}

function readResponses(method: string, parts: readonly Buffer[]): Reading {
  const messages: Reading["messages"] = [];
  const parser = new Http1ResponseParser({
    onHead: (head) => messages.push({ head, body: "", ended: false }),
    onData: (slice) => (messages.at(-1)!.body += slice.toString("latin1")),
    onEnd: () => (messages.at(-1)!.ended = true),
  });
  try {
    parser.expect(method);
    for (const part of parts) {
      for (let at = 0; at < part.length;) {
        const ended = messages.at(-1)?.ended === true;
        if (ended) parser.expect(method);
        at = parser.execute(part, at);
      }
    }
    parser.finish();
  } catch (error) {
    assert(error instanceof Http1Error, String(error));
    return { messages, error };
  }
  return { messages, error: undefined };
}

/** The first byte says what was asked. */
export const http1ResponseTarget: FuzzTarget = {
  name: "http1-response",
  sources: ["libs/codec/http1/src"],
  seeds: () =>
    words(
      "\0HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      "\0HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
      "\0HTTP/1.0 200 OK\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive\r\n\r\nbody",
      "\u0001HTTP/1.1 204\r\nContent-Length: 2\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n",
      "\u0002HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ),
  dictionary: words(
    "\r\n", "\r\n\r\n", "\n", "\r", "\0", "0\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.0 ", "HTTP/1.1 204 ", "HTTP/1.1 304 ", "HTTP/1.1 101 ",
    "Content-Length: ", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Keep-Alive: timeout=1\r\n", "Upgrade: websocket\r\n",
  ),
  run(bytes) {
    const method = methods[(bytes[0] ?? 0) % methods.length] ?? "GET";
    const rest = bytes.subarray(1);
    const whole = readResponses(method, [rest]);
    const split = readResponses(method, pieces(rest));
    assert.equal(split.error === undefined, whole.error === undefined, "refused, or not, by how it is split");
    if (whole.error === undefined) assert.deepEqual(split.messages, whole.messages);
    return `${Math.min(3, whole.messages.length)} ${whole.error === undefined ? "" : outcomeOf(whole.error)}`;
  },
}; // prettier-ignore
