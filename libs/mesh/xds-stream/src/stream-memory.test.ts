import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { CompiledResource } from "@fairlead/snapshot";
import { cluster, endpoint, StreamUnderTest } from "./stream-under-test.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const services = 1000;
const streams = 200;
const maxBytesPerStream = 20 * 1024;

/** Strings of its own, as they come from the wire. */
const copied = (names: readonly string[]) => names.map((name) => Buffer.from(name).toString());

for (const variant of ["sotw", "delta"] as const) {
  test(`a stream with ${services} services costs less than 20 KiB beyond what all share [${variant}]`, () => {
    const names = Array.from({ length: services }, (_, index) => `outbound|http||shop.Service${index}`);
    const mesh = new StreamUnderTest({ variant });
    mesh.set(cluster, ...names.map((name) => `${name}@1`));
    mesh.set(endpoint, ...names.map((name) => `${name}@1`));
    const lists = new Map<string, readonly CompiledResource[]>(
      [cluster, endpoint].map((typeUrl) => [typeUrl, mesh.view.resources(typeUrl)]),
    );
    const view = { ...mesh.view, resources: (typeUrl: string) => lists.get(typeUrl) ?? [] };
    const open = () => {
      const { stream } = new StreamUnderTest({ variant });
      for (const [typeUrl, wanted] of [
        [cluster, []],
        [endpoint, names],
      ] as const) {
        stream.request({ typeUrl, names: copied(wanted), nonce: "" }, view, 1, 0);
        const [response] = stream.take(view, 0);
        const nonce = response?.nonce ?? "";
        stream.request({ typeUrl, names: variant === "sotw" ? copied(wanted) : [], nonce }, view, 1, 0);
      }
      return stream;
    };
    const held = [open()];
    collectGarbage();
    const before = process.memoryUsage();
    while (held.length <= streams) held.push(open());
    collectGarbage();
    const after = process.memoryUsage();
    const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    assert.ok(bytes / streams < maxBytesPerStream, `${Math.round(bytes / streams)} bytes`);
    assert.ok(
      held.every((stream) => stream.status().every((type) => type.resources === services && type.state === "ACKED")),
    );
  });
}
