import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Http2RequestHead, Http2ResponseHead } from "./message-head.ts";
import { clientEnd, output, Recorder, serverEnd, settle } from "./testing/ends.ts";

const line = { method: "POST", path: "/x?y=1", authority: "a:1", scheme: "http" };

const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const name = fc.stringMatching(/^x-[a-z0-9_-]{0,12}$/);
const value = fc.stringMatching(/^([!-~]([ -~\x80-\xff]{0,20}[!-~])?)?$/);
const headers = fc.array(fc.tuple(name, value), { maxLength: 8 }).map((list) => list.flat());
const body = fc.array(text(3000), { maxLength: 5 });
const message = fc.record({ headers, body, trailers: fc.option(headers.filter((list) => list.length > 0)) });
type Message = typeof message extends fc.Arbitrary<infer M> ? M : never;

/** Sends the body and the end of a message. */
function finish(
  m: Message,
  data: (chunk: Buffer, end: boolean) => void,
  trailers: (list: readonly string[]) => void,
): void {
  for (const part of m.body) data(Buffer.from(part, "latin1"), false);
  if (m.trailers === null) data(Buffer.alloc(0), true);
  else trailers(m.trailers);
}

function expected(m: Message): unknown[] {
  return [m.body.join(""), ...(m.trailers === null ? [] : [m.trailers]), "end"];
}

test("what one end sends is what the other gets: any messages, windows of any size", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(message, message), { minLength: 1, maxLength: 6 }),
      fc.constantFrom(1, 7, 1000, 65_535, 262_144),
      (calls, streamWindowBytes) => {
        const { client } = clientEnd({ streamWindowBytes });
        const end = serverEnd({ streamWindowBytes });
        const { server } = end;
        const responses = calls.map(([request]) => {
          const recorder = new Recorder<Http2ResponseHead>();
          const stream = client.openStream(recorder);
          client.sendHead(stream, line, request.headers, undefined, false);
          finish(
            request,
            (chunk, last) => client.sendData(stream, chunk, last),
            (list) => client.sendTrailers(stream, list),
          );
          return recorder;
        });
        settle(client, server);
        for (const [i, [request, response]] of calls.entries()) {
          const [head, ...rest] = end.recorders[i]?.told ?? [];
          assert.deepEqual((head as Http2RequestHead).headers, request.headers);
          assert.deepEqual(rest, expected(request));
          const stream = end.streams[i];
          assert(stream !== undefined);
          server.sendHead(stream, 200, response.headers, undefined, false);
          finish(
            response,
            (chunk, last) => server.sendData(stream, chunk, last),
            (list) => server.sendTrailers(stream, list),
          );
        }
        settle(client, server);
        for (const [i, [, response]] of calls.entries()) {
          const [head, ...rest] = responses[i]?.told ?? [];
          assert.deepEqual((head as Http2ResponseHead).headers, response.headers);
          assert.deepEqual(rest, [...expected(response), "closed"]);
          assert.equal(end.recorders[i]?.told.at(-1), "closed");
        }
        assert.equal(client.streams.size, 0);
        assert.equal(server.streams.size, 0);
      },
    ),
    { numRuns: 200 },
  );
});

test("a sender is told to stop above its queue's limit, and to go on when half of it has gone", () => {
  const { client } = clientEnd({ maxQueuedBytes: 100_000 });
  const { server, streams } = serverEnd({ streamWindowBytes: 65_535 });
  const recorder = new Recorder<Http2ResponseHead>();
  const stream = client.openStream(recorder);
  client.sendHead(stream, line, [], undefined, false);
  settle(client, server);
  const [incoming] = streams;
  assert(incoming !== undefined);
  server.setReading(incoming, false);
  for (let i = 0; i < 7; i++) client.sendData(stream, Buffer.alloc(20_000), false);
  settle(client, server);
  assert.deepEqual([recorder.blocked, recorder.writable], [0, 0]);
  client.sendData(stream, Buffer.alloc(40_000), false);
  assert.deepEqual([recorder.blocked, recorder.writable], [1, 0]);
  server.setReading(incoming, true);
  settle(client, server);
  assert.deepEqual([recorder.blocked, recorder.writable], [1, 1]);
});

test("streams that nobody reads do not stop the others of their connection, until they hold too much together", () => {
  const { client } = clientEnd();
  const end = serverEnd({ streamWindowBytes: 100_000, connectionWindowBytes: 100_000, maxHeldBytes: 250_000 });
  const send = (bytes: number): void => {
    const stream = client.openStream(new Recorder<Http2ResponseHead>());
    client.sendHead(stream, line, [], undefined, false);
    settle(client, end.server);
    const incoming = end.streams.at(-1);
    assert(incoming !== undefined);
    end.server.setReading(incoming, false);
    client.sendData(stream, Buffer.alloc(bytes), false);
    settle(client, end.server);
  };
  const got = (): number => end.recorders.reduce((sum, recorder) => sum + recorder.body.length, 0);
  send(90_000);
  send(90_000);
  assert.equal(got(), 180_000);
  for (let i = 0; i < 5; i++) send(90_000);
  assert(got() <= 250_000 + 100_000, `${got()} bytes are held`);
  for (const stream of end.streams) end.server.setReading(stream, true);
  settle(client, end.server);
  assert.equal(got(), 7 * 90_000);
});

test("GOAWAY: what the server has not begun with may be sent again; what it has goes on", () => {
  const it = clientEnd();
  const end = serverEnd();
  const recorders = [new Recorder<Http2ResponseHead>(), new Recorder<Http2ResponseHead>()];
  const [first, second] = recorders;
  assert(first !== undefined && second !== undefined);
  it.client.sendHead(it.client.openStream(first), line, [], undefined, true);
  settle(it.client, end.server);
  end.server.drain();
  assert.equal(end.server.drained, false);
  const goAway = output(end.server);
  // On its way before the GOAWAY has come.
  it.client.sendHead(it.client.openStream(second), line, [], undefined, true);
  end.server.receive(output(it.client));
  it.client.receive(goAway);
  assert.equal(it.client.maxConcurrentStreams, 0);
  settle(it.client, end.server);
  assert.equal(end.server.drained, true);
  assert.equal(it.goAways, 2);
  assert.equal(end.streams.length, 2);
  for (const stream of end.streams) end.server.sendHead(stream, 204, [], undefined, true);
  settle(it.client, end.server);
  assert.deepEqual(
    recorders.map((recorder) => (recorder.told[0] as Http2ResponseHead).status),
    [204, 204],
  );
  assert.equal(end.server.streams.size, 0);
});

test("a connection that ends at once says which streams it never saw", () => {
  const it = clientEnd();
  const end = serverEnd();
  const recorder = new Recorder<Http2ResponseHead>();
  settle(it.client, end.server);
  it.client.sendHead(it.client.openStream(recorder), line, [], undefined, true);
  output(it.client);
  end.server.end(0, "");
  it.client.receive(output(end.server));
  assert.deepEqual(recorder.told, [{ errorCode: 0, by: "unprocessed", details: "GOAWAY NO_ERROR" }, "closed"]);
});

test("interim responses are skipped; a response ends before its request", () => {
  const it = clientEnd();
  const end = serverEnd();
  const recorder = new Recorder<Http2ResponseHead>();
  const stream = it.client.openStream(recorder);
  it.client.sendHead(stream, line, [], undefined, false);
  settle(it.client, end.server);
  const [incoming] = end.streams;
  assert(incoming !== undefined);
  end.server.sendContinue(incoming);
  end.server.sendHead(incoming, 413, [], undefined, true);
  settle(it.client, end.server);
  assert.equal((recorder.told[0] as Http2ResponseHead).status, 413);
  assert.equal(end.server.streams.size, 0);
  assert.equal(it.client.streams.size, 0);
});
