import assert from "node:assert/strict";
import { test } from "node:test";
import type { Http2ResponseHead } from "./message-head.ts";
import { clientEnd, Recorder, serverEnd, settle } from "./testing/ends.ts";

const line = { method: "GET", path: "/", authority: "a", scheme: "http" };
/** Larger than what one header may take of the usual table. */
const long = ["x-long", "v".repeat(3000)];
const short = ["x-short", "a value of some length"];

interface Ends {
  readonly ofClient: number;
  readonly ofServer: number;
}

/** @returns the bytes of each of some requests that are all the same */
function sizes({ ofClient, ofServer }: Ends, headers: readonly string[]): number[] {
  const { client } = clientEnd({ headerTableBytes: ofClient });
  const end = serverEnd({ headerTableBytes: ofServer });
  settle(client, end.server);
  return [0, 1, 2, 3].map((i) => {
    client.sendHead(client.openStream(new Recorder<Http2ResponseHead>()), line, headers, undefined, true);
    const sent = client.takeOutput();
    for (const chunk of sent) end.server.receive(chunk);
    settle(client, end.server);
    const head = end.recorders[i]?.told[0] as { readonly headers: readonly string[] } | undefined;
    assert.deepEqual(head?.headers, headers);
    return Buffer.concat(sent).length;
  });
}

test("headers are indexed as far as both ends' tables go", () => {
  const usual = 4096;
  const large = 65_536;
  const last = (ends: Ends, headers: readonly string[]): number => sizes(ends, headers).at(-1) ?? 0;
  assert(last({ ofClient: usual, ofServer: usual }, short) < 20);
  assert(last({ ofClient: usual, ofServer: usual }, long) > 1000);
  assert(last({ ofClient: large, ofServer: large }, long) < 20);
  assert(last({ ofClient: large, ofServer: usual }, long) > 1000, "the server does not allow it");
  assert(last({ ofClient: usual, ofServer: large }, long) > 1000, "the client does not want it");
});

test("0 is no table at all, at either end", () => {
  for (const ends of [
    { ofClient: 0, ofServer: 4096 },
    { ofClient: 4096, ofServer: 0 },
  ]) {
    const [, second, ...others] = sizes(ends, short);
    for (const bytes of others) assert.equal(bytes, second);
    assert((second ?? 0) > 20);
  }
});
