import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { ProxyBeforeHost } from "../testing/proxy-before-host.ts";
import { type HostileRow, LAST, LAST_UPSTREAM, smugglingRows } from "../testing/smuggling-rows.ts";

/** Bytes on a connection, and all that comes back until the proxy closes it. */
function send(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes, "latin1"));
    // Whatever is accepted by mistake leaves the connection open.
    socket.setTimeout(2000, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
  });
}

function statuses(answers: string): number[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d{3}) [^\r]*\r\n/g)].map((match) => Number(match[1]));
}

for (const rules of ["strict", "lenient"] as const) {
  describe(`bytes of an attacker, before a ${rules} host`, () => {
    let world: ProxyBeforeHost;
    before(async () => (world = await ProxyBeforeHost.start(rules)));
    after(async () => await world[Symbol.asyncDispose]());

    async function check(row: HostileRow): Promise<void> {
      const { host, proxy } = world;
      host.clear();
      const answers = await send(proxy.port("in"), row.refused === undefined ? row.bytes + LAST : row.bytes);
      if (row.refused === undefined) {
        assert.deepEqual(new Set(statuses(answers)), new Set([200]), answers);
        assert.equal(host.bytes, (row.upstream ?? "") + LAST_UPSTREAM);
        assert.equal(statuses(answers).length, host.requests.length, "each request has one answer");
      } else {
        assert.deepEqual(statuses(answers), [row.refused], answers);
        assert.match(answers, /\r\nconnection: close\r\n/);
        await until("a request that was cut off is ended at the host", () => host.waiting === 0);
        assert.deepEqual(host.requests, [], "the host has read a request");
        if (row.midBody !== true) assert.equal(host.bytes, "");
      }
      assert.deepEqual(host.faults, []);
      assert(!host.requests.some(({ line }) => line.includes("/hidden")), "a hidden request was read");
    }

    for (const row of smugglingRows) {
      const verdict = row.refused === undefined ? "forwarded" : `refused with ${row.refused}`;
      test(`${verdict}: ${row.name}`, () => check(row));
    }
  });
}
