import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Http1Error } from "./http1-error.ts";
import { Http1RequestParser } from "./request-parser.ts";
import { Http1ResponseParser } from "./response-parser.ts";

/** What a parser told, with the slices of one body joined: the only thing that a split may change. */
type Told = unknown[];

function recorder(): {
  readonly told: Told;
  readonly sink: { onHead(head: unknown): void; onData(slice: Buffer): void; onEnd(): void };
} {
  const told: Told = [];
  let body: Buffer[] = [];
  return {
    told,
    sink: {
      onHead: (head) => told.push(head),
      onData: (slice) => body.push(Buffer.from(slice)),
      onEnd() {
        told.push(Buffer.concat(body).toString("latin1"));
        body = [];
      },
    },
  };
}

function feed(parser: { execute(chunk: Buffer, start: number): number }, pieces: readonly Buffer[]): void {
  for (const piece of pieces) for (let at = 0; at < piece.length;) at = parser.execute(piece, at);
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,12}$/);
const value = fc.stringMatching(/^[!-~]([ -~\x80-\xff]{0,20}[!-~])?$/);
const reserved = /^(host|connection|content-length|transfer-encoding|keep-alive|expect|upgrade|te|proxy-connection)$/i;
const headers = fc.array(
  fc.tuple(token.filter((name) => !reserved.test(name)), value),
  { maxLength: 8 },
); // prettier-ignore
const body = fc.uint8Array({ maxLength: 300 });
const chunkSizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 });

function chunkedBytes(content: Uint8Array, sizes: readonly number[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < content.length; i++) {
    const slice = content.subarray(at, at + (sizes[i % sizes.length] ?? 1));
    parts.push(
      Buffer.from(`${slice.length.toString(16)}${i % 2 === 0 ? ";x=y" : ""}\r\n`),
      Buffer.from(slice),
      Buffer.from("\r\n"),
    );
    at += slice.length;
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}

const message = fc.record({ headers, body, sizes: chunkSizes, chunked: fc.boolean() });

function render(
  firstLines: string,
  m: { headers: [string, string][]; body: Uint8Array; sizes: number[]; chunked: boolean },
): Buffer {
  const lines = m.headers.map(([name, text]) => `${name}:${text.length % 2 === 0 ? " " : ""}${text}\r\n`).join("");
  const framing = m.chunked ? "Transfer-Encoding: chunked\r\n" : `Content-Length: ${m.body.length}\r\n`;
  const head = Buffer.from(`${firstLines}${lines}${framing}\r\n`, "latin1");
  return Buffer.concat([head, m.chunked ? chunkedBytes(m.body, m.sizes) : Buffer.from(m.body)]);
}

test("any split of requests gives the same requests", () => {
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (messages, cuts) => {
        const bytes = Buffer.concat(messages.map((m, i) => render(`POST /${i} HTTP/1.1\r\nHost: h\r\n`, m)));
        const whole = recorder();
        feed(new Http1RequestParser(whole.sink), [bytes]);
        assert.equal(whole.told.length, messages.length * 2);
        for (const [i, m] of messages.entries()) {
          assert.equal(whole.told[i * 2 + 1], Buffer.from(m.body).toString("latin1"));
        }
        for (const pieces of [split(bytes, cuts), [...bytes].map((byte) => Buffer.from([byte]))]) {
          const parts = recorder();
          feed(new Http1RequestParser(parts.sink), pieces);
          assert.deepEqual(parts.told, whole.told);
        }
      },
    ),
  );
});

test("any split of responses gives the same responses", () => {
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (messages, cuts) => {
        const interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
        const bytes = Buffer.concat(
          messages.map((m, i) => render(`${i % 2 === 0 ? interim : ""}HTTP/1.1 200 OK\r\n`, m)),
        );
        const whole = recorder();
        feed(new Http1ResponseParser(whole.sink), [bytes]);
        assert.equal(whole.told.length, messages.length * 2);
        const parts = recorder();
        feed(new Http1ResponseParser(parts.sink), split(bytes, cuts));
        assert.deepEqual(parts.told, whole.told);
      },
    ),
  );
});

test("bytes of any kind end in messages or an Http1Error, never in another error", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      fc.constantFrom("", "GET / HTTP/1.1\r\nHost: a\r\n", "HTTP/1.1 200 OK\r\n"),
      (noise, start) => {
        const bytes = Buffer.concat([Buffer.from(start), noise]);
        for (const parser of [new Http1RequestParser(recorder().sink), new Http1ResponseParser(recorder().sink)]) {
          try {
            feed(parser, [bytes]);
          } catch (error) {
            assert(error instanceof Http1Error, String(error));
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});
