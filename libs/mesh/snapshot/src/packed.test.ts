import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { pack, unpack } from "./packed.ts";

test("what is packed is unpacked to the same; a small entry stays as it is", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 1, max: 400 }), (part, times) => {
      // No entry of the bucket begins with the tag of such a field.
      const entry = Buffer.concat([Buffer.from([0x0a]), ...Array.from({ length: times }, () => part)]);
      const packed = pack(entry);
      if (entry.length < 64 * 1024) assert.equal(packed, entry);
      assert.ok(Buffer.from(unpack(packed)).equals(entry));
    }),
  );
});

test("the routes of 10,000 services pass through a server that takes 1 MiB", () => {
  const routes = Array.from(
    { length: 10_000 },
    (_, index) => `shop.Service${index} outbound|http||shop.Service${index} ${"retry-on".repeat(20)}`,
  );
  const entry = Buffer.from(routes.join("\n"));
  assert.ok(entry.length > 2 * 1024 * 1024);
  assert.ok(pack(entry).length < 256 * 1024, `${pack(entry).length} bytes`);
});

test("a frame that is cut off is an error", () => {
  const packed = pack(Buffer.alloc(100_000, "ab"));
  assert.throws(() => unpack(packed.subarray(0, packed.length - 3)));
});
