import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderMap, type RequestHead } from "@fairlead/proxy-stream";
import { FilterChain } from "./filter-chain.ts";
import type { FilterStatus, StreamFilter } from "./stream-filter.ts";

function head(): RequestHead {
  return { method: "GET", path: "/", authority: "a", scheme: "http", headers: new HeaderMap() };
}

test("requests go through in order and responses in reverse; a stop holds what comes until it is lifted", () => {
  const told: string[] = [];
  const filter = (name: string, status: FilterStatus): StreamFilter => ({
    onRequestHead() {
      told.push(`${name} head`);
      return status;
    },
    onRequestData: (chunk, end) => told.push(`${name} ${chunk.toString()} ${end}`),
    onResponseHead: () => told.push(`${name} response`),
    onDestroy: () => told.push(`${name} destroyed`),
  });
  const chain = new FilterChain([filter("1", "continue"), filter("2", "stop"), {}, filter("3", "continue")], {
    onRequestHead: (_head, end) => told.push(`end head ${end}`),
    onRequestData: (chunk, end) => told.push(`end ${chunk.toString()} ${end}`),
  });
  chain.onRequestHead(head(), false);
  chain.onRequestData(Buffer.from("x"), false);
  chain.onRequestData(Buffer.from("y"), true);
  assert.deepEqual(told.splice(0), ["1 head", "2 head"]);
  assert.equal(chain.stopped, true);
  chain.continueRequest();
  chain.continueRequest();
  assert.deepEqual(told.splice(0), [
    "3 head",
    "end head false",
    ...["x false", "y true"].flatMap((data) => [`1 ${data}`, `2 ${data}`, `3 ${data}`, `end ${data}`]),
  ]);
  chain.onResponseHead({ status: 200, headers: new HeaderMap() }, true);
  chain.destroy();
  assert.deepEqual(told, ["3 response", "2 response", "1 response", "1 destroyed", "2 destroyed", "3 destroyed"]);
});
