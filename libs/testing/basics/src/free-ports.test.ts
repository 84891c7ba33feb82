import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { freePort } from "./free-port.ts";
import { FreePorts } from "./free-ports.ts";
import { listen } from "./listen.ts";

const firstEphemeral = 32_768;

async function isFree(port: number): Promise<boolean> {
  await using server = createServer();
  return (await listen(server, port).catch(() => 0)) === port;
}

void test("ports lie between 10000 and those of outgoing connections, and nobody listens on them", async () => {
  for (const random of [0, 0.999_999_999]) {
    const port = await new FreePorts(firstEphemeral, () => random).take();
    assert.ok(port >= 10_000 && port < firstEphemeral, String(port));
    assert.ok(await isFree(port), String(port));
  }
});

void test("a port that somebody listens on is passed over, and after the last comes the first", async () => {
  await using server = createServer();
  const taken = await listen(server, await new FreePorts(firstEphemeral, () => 0.5).take());
  // As if the kernel's ports began right above it: it is the last to choose from.
  const ports = new FreePorts(taken + 1, () => 0.999_999_999);
  const port = await ports.take();
  assert.ok(port >= 10_000 && port < taken, `${port}, not ${taken}`);
});

void test("none is given twice, not to callers at the same time either", async () => {
  const ports = new FreePorts(firstEphemeral, () => 0.5);
  const given = await Promise.all(Array.from({ length: 50 }, () => ports.take()));
  assert.equal(new Set(given).size, 50);
});

void test("where the kernel leaves too few ports, or does not say which, it chooses", async () => {
  const random = (): number => assert.fail("it needs no random number");
  for (const first of [undefined, 1024, 11_999]) {
    const ports = new FreePorts(first, random);
    const given = [await ports.take(), await ports.take(), await ports.take()];
    assert.equal(new Set(given).size, 3);
    assert.ok(given.every((port) => port >= 1024));
  }
});

const rangeFile = "/proc/sys/net/ipv4/ip_local_port_range";
const range = ((): readonly number[] => {
  try {
    return readFileSync(rangeFile, "utf8").trim().split(/\s+/).map(Number);
  } catch {
    return [];
  }
})();

void test("on this machine no port is one of those", { skip: (range[0] ?? 0) < 12_000 }, async () => {
  const [first = 0, last = 0] = range;
  for (let i = 0; i < 20; i++) {
    const port = await freePort();
    assert.ok(port < first || port > last, `${port} is in ${first} to ${last}`);
  }
});
