import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:http2";
import { fairShareMs } from "@fairlead/proxy-runtime/testing/fair-share";
import { Neighbour } from "@fairlead/proxy-runtime/testing/neighbour";
import { ProxyProcess } from "@fairlead/proxy-runtime/testing/proxy-process";
import { drink, GIB, gigabyteHost, pour } from "./gigabyte-host.ts";

type Version = "http1" | "http2";

/** @returns the bytes that came back, or those that the host counted */
async function transfer(version: Version, method: "GET" | "POST", port: number): Promise<number> {
  const received = version === "http1" ? overHttp1(method, port) : overHttp2(method, port);
  return await received;
}

async function overHttp1(method: "GET" | "POST", port: number): Promise<number> {
  const outgoing = request({ host: "127.0.0.1", port, method, path: "/large", agent: false });
  const answered = new Promise<number>((resolve, reject) => {
    outgoing.on("error", reject);
    outgoing.on("response", (response) => {
      (method === "GET" ? drink(response) : text(response)).then(resolve, reject);
    });
  });
  if (method === "POST") await pour(outgoing, GIB);
  else outgoing.end();
  return await answered;
}

async function overHttp2(method: "GET" | "POST", port: number): Promise<number> {
  const session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request(
    { ":method": method, ":path": "/large", ":authority": "a" },
    { endStream: method === "GET" },
  );
  const answered = method === "GET" ? drink(stream) : text(stream);
  if (method === "POST") await pour(stream, GIB);
  const bytes = await answered;
  session.destroy();
  return bytes;
}

async function text(source: NodeJS.ReadableStream): Promise<number> {
  let digits = "";
  for await (const chunk of source) digits += String(chunk);
  return Number(digits);
}

/** For a small request while the proxy's core is busy with the large one; what waits behind all of it takes seconds. */
const MAX_NEIGHBOUR_MS = 1000;

/** One gibibyte through the proxy. @returns a line about it */
export async function checkGigabyte(client: Version, host: Version, method: "GET" | "POST"): Promise<string> {
  await using large = await gigabyteHost(host);
  await using proxy = await ProxyProcess.start({ hostPort: large.port, http2Host: host === "http2" });
  const before = proxy.memoryMiB().now;
  await proxy.report();
  await using neighbour = new Neighbour(proxy.port);
  const begun = performance.now();
  assert.equal(await transfer(client, method, proxy.port), GIB);
  const seconds = (performance.now() - begun) / 1000;
  const { failure, served, slowestMs } = neighbour;
  const { delayP99Ms } = await proxy.report();
  const more = proxy.memoryMiB().most - before;
  assert(more < 160, `${more.toFixed(0)} MiB more`);
  assert(delayP99Ms < fairShareMs(250), `${delayP99Ms} ms of delay`);
  assert.equal(failure, undefined);
  assert(served > 10 && slowestMs < fairShareMs(MAX_NEIGHBOUR_MS), `a neighbour: ${served}, ${slowestMs} ms`);
  return `${seconds.toFixed(1)} s, ${more.toFixed(0)} MiB more, delay p99 ${delayP99Ms.toFixed(0)} ms; a neighbour: ${served} requests, the slowest ${slowestMs.toFixed(0)} ms`;
}
