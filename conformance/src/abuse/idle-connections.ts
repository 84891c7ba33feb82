import assert from "node:assert/strict";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { Neighbour } from "@fairlead/proxy-runtime/testing/neighbour";
import { fairShareMs } from "@fairlead/proxy-runtime/testing/fair-share";
import { ProxyProcess } from "@fairlead/proxy-runtime/testing/proxy-process";
import { until } from "@fairlead/testing-basics";
import { CannotRun } from "../envoy-binary.ts";
import { openFilesLimit } from "./open-files-limit.ts";

/** Files that a process needs besides: its own and those of the neighbour. */
const SPARE_FILES = 200;
const AT_ONCE = 200;

/**
 * Connections that have had one answer each and say nothing more.
 *
 * @returns a line about it
 * @throws CannotRun where a process may not have so many files
 */
export async function checkIdleConnections(count: number): Promise<string> {
  const limit = openFilesLimit();
  if (limit < count + SPARE_FILES)
    throw new CannotRun(`${count} connections need ulimit -n ${count + SPARE_FILES}; it is ${limit}`);
  const host = createServer((_request, response) => response.end("small"));
  await new Promise<void>((resolve) => {
    host.listen(0, "127.0.0.1", resolve);
  });
  const sockets: Socket[] = [];
  try {
    await using proxy = await ProxyProcess.start({
      hostPort: (host.address() as AddressInfo).port,
      maxConnections: count + AT_ONCE,
    });
    const before = proxy.memoryMiB().now;
    await using neighbour = new Neighbour(proxy.port);
    while (sockets.length < count) {
      const opened = await Promise.all(Array.from({ length: AT_ONCE }, () => answered(proxy.port)));
      sockets.push(...opened);
    }
    await until("the proxy has them all", async () => (await proxy.stat("http.in.downstream_cx_active")) > count);
    const each = ((proxy.memoryMiB().now - before) * 1024) / count;
    // What nobody uses must cost no time either.
    await proxy.report();
    const served = neighbour.served;
    const more = async (): Promise<boolean> => neighbour.failure !== undefined || neighbour.served - served >= 100;
    await until("a neighbour is served 100 times beside them", more);
    const { delayP99Ms } = await proxy.report();
    assert.equal(neighbour.failure, undefined);
    assert(each < 48, `${each.toFixed(1)} KiB for each`);
    assert(delayP99Ms < fairShareMs(250), `${delayP99Ms} ms of delay`);
    return `${each.toFixed(1)} KiB for each, delay p99 ${delayP99Ms.toFixed(0)} ms`;
  } finally {
    for (const socket of sockets) socket.destroy();
    host.closeAllConnections();
    host.close();
  }
}

function answered(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    socket.once("data", () => resolve(socket));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("a connection was closed without an answer")));
  });
}
