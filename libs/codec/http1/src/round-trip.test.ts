import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { CHUNKED, type Http1RequestHead, type Http1ResponseHead } from "./message-head.ts";
import { Http1RequestParser } from "./request-parser.ts";
import { Http1ResponseParser } from "./response-parser.ts";
import { serializeRequestHead, serializeResponseHead } from "./serialize-head.ts";

const ofConnection =
  /^(host|connection|content-length|transfer-encoding|keep-alive|expect|upgrade|te|proxy-connection)$/;
const name = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9a-z-]{1,16}$/).filter((text) => !ofConnection.test(text));
const value = fc.stringMatching(/^([!-~\x80-\xff]([\t -~\x80-\xff]{0,20}[!-~\x80-\xff])?)?$/);
const headers = fc.array(fc.tuple(name, value), { maxLength: 10 }).map((pairs) => pairs.flat());
const method = fc.constantFrom("GET", "POST", "DELETE", "OPTIONS", "M-SEARCH", "lower");
const path = fc.stringMatching(/^\/[!-"$-~]{0,30}$/);
const authority = fc.stringMatching(/^[A-Za-z0-9.-]{1,20}(:[0-9]{1,5})?$/);
/** -1: chunked */
const framing = fc.integer({ min: -1, max: 1000 });

function framed(fields: readonly string[], length: number): string[] {
  return length > 0 ? [...fields, "content-length", String(length)] : [...fields];
}

test("a request's head that was written is read as it was", () => {
  fc.assert(
    fc.property(method, path, authority, headers, framing, (m, p, a, fields, length) => {
      const all = framed(fields, length);
      const chunked = length === CHUNKED;
      const text = serializeRequestHead(m, p, a, all, { chunked, close: false, empty: false });
      const heads: Http1RequestHead[] = [];
      const parser = new Http1RequestParser({ onHead: (head) => heads.push(head), onData() {}, onEnd() {} });
      const bytes = Buffer.from(text, "latin1");
      assert.equal(parser.execute(bytes, 0), bytes.length);
      const [head] = heads;
      assert(head !== undefined);
      assert.deepEqual(
        [head.method, head.path, head.authority, head.headers, head.framing, head.keepAlive],
        [m, p, a, all, length, true],
      );
    }),
    { numRuns: 1000 },
  );
});

test("a response's head that was written is read as it was", () => {
  const status = fc.integer({ min: 200, max: 999 }).filter((code) => code !== 204 && code !== 304);
  fc.assert(
    fc.property(status, headers, framing, fc.boolean(), (code, fields, length, close) => {
      const all = framed(fields, length);
      const text = serializeResponseHead(code, all, { chunked: length === CHUNKED, close, empty: length === 0 });
      const heads: Http1ResponseHead[] = [];
      const parser = new Http1ResponseParser({ onHead: (head) => heads.push(head), onData() {}, onEnd() {} });
      parser.expect("GET");
      parser.execute(Buffer.from(text, "latin1"), 0);
      const [head] = heads;
      assert(head !== undefined);
      const read = length === 0 ? [...all, "content-length", "0"] : all;
      assert.deepEqual([head.status, head.headers, head.framing, head.keepAlive], [code, read, length, !close]);
    }),
    { numRuns: 1000 },
  );
});
