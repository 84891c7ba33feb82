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
    onRequestTrailers: (trailers) => told.push(`end trailers ${trailers.fields.join()}`),
  });
  chain.onRequestHead(head(), false);
  chain.onRequestData(Buffer.from("x"), false);
  chain.onRequestData(Buffer.from("y"), true);
  assert.deepEqual(told.splice(0), ["1 head", "2 head", "1 x false", "2 x false", "1 y true", "2 y true"]);
  assert.equal(chain.holdsClient, true);
  chain.continueRequest();
  chain.continueRequest();
  assert.deepEqual(told.splice(0), ["3 head", "end head false", "3 x false", "end x false", "3 y true", "end y true"]);
  chain.onResponseHead({ status: 200, headers: new HeaderMap() }, true);
  chain.destroy();
  assert.deepEqual(told, ["3 response", "2 response", "1 response", "1 destroyed", "2 destroyed", "3 destroyed"]);
});

test("where a filter has ended the stream, those after it are told of nothing but that", () => {
  const told: string[] = [];
  for (const at of ["request head", "request data", "response head", "response data"]) {
    const tell = (name: string, what: string): void => {
      told.push(`${name}: ${what}`);
      if (what === at && name === "ending") chain.destroy();
    };
    const filter = (name: string): StreamFilter => ({
      onRequestHead() {
        tell(name, "request head");
        return "continue";
      },
      onRequestData: () => tell(name, "request data"),
      onResponseHead: () => tell(name, "response head"),
      onResponseData: () => tell(name, "response data"),
      onDestroy: () => told.push(`${name} destroyed`),
    });
    const filters = at.startsWith("request") ? ["ending", "next"] : ["next", "ending"];
    const chain = new FilterChain(filters.map(filter), {
      onRequestHead: () => told.push("end: request head"),
      onRequestData() {},
      onRequestTrailers() {},
    });
    if (at === "request head") chain.onRequestHead(head(), false);
    else if (at === "request data") chain.onRequestData(Buffer.from("x"), false);
    else if (at === "response head") chain.onResponseHead({ status: 200, headers: new HeaderMap() }, false);
    else chain.onResponseData(Buffer.from("x"), false);
    assert.deepEqual(told.splice(0), [`ending: ${at}`, ...filters.map((name) => `${name} destroyed`)]);
  }
});

test("a filter that buffers sees the body, bounds it, and lets all of it go at once; trailers follow", () => {
  const told: string[] = [];
  let chain: FilterChain | undefined;
  const buffering: StreamFilter = {
    onRequestHead: () => "buffer",
    onRequestData(chunk, end) {
      told.push(`buffered ${chunk.toString()}`);
      if (end) chain?.continueRequest();
    },
  };
  chain = new FilterChain([buffering], {
    onRequestHead: () => told.push("head"),
    onRequestData: (chunk) => told.push(`end ${chunk.toString()}`),
    onRequestTrailers: (trailers) => told.push(`trailers ${trailers.fields.join()}`),
  });
  chain.onRequestHead(head(), false);
  assert.equal(chain.holdsClient, false);
  chain.onRequestData(Buffer.from("x"), false);
  chain.onRequestTrailers(new HeaderMap(["a", "1"]));
  assert.deepEqual(told, ["buffered x", "buffered ", "head", "end x", "trailers a,1"]);
});
