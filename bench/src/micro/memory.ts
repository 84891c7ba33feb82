/** What memory for bytes costs, fresh and from a pool: `node bench/src/micro/memory.ts`. */
import { SlotPool } from "@fairlead/buffer";
import { readCommandLine } from "@fairlead/lifecycle";
import { cpuNsOf, report } from "./measure.ts";

readCommandLine({ usage: "node bench/src/micro/memory.ts\nWhat memory for bytes costs, fresh and from a pool." });

/** What is on its way to sockets at one time, and so not given back yet. */
const UNDER_WAY = 64;

for (const bytes of [200, 1024, 4096, 16 * 1024, 64 * 1024]) {
  const operations = bytes > 4096 ? 10_000 : 200_000;
  const source = Buffer.allocUnsafeSlow(bytes);
  report(
    `allocUnsafe, ${bytes} bytes written`,
    cpuNsOf(operations, (n) => {
      const held: Buffer[] = Array.from({ length: UNDER_WAY }, () => source);
      for (let i = 0; i < n; i++) {
        const memory = Buffer.allocUnsafe(bytes);
        source.copy(memory);
        held[i % UNDER_WAY] = memory;
      }
    }),
  );
  const pool = new SlotPool();
  report(
    `slot pool, ${bytes} bytes written`,
    cpuNsOf(operations, (n) => {
      const held = Array.from({ length: UNDER_WAY }, () => pool.take(bytes));
      for (let i = 0; i < n; i++) {
        held[i % UNDER_WAY]!.release();
        const slab = pool.take(bytes);
        source.copy(slab.bytes);
        held[i % UNDER_WAY] = slab;
      }
      for (const slab of held) slab.release();
    }),
  );
}
