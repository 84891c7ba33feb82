/** What queues of bytes cost: `node bench/src/micro/queues.ts`. Of each case the first line is an array of buffers. */
import { ByteChain } from "@fairlead/buffer";
import { readCommandLine } from "@fairlead/lifecycle";
import { cpuNsOf, report } from "./measure.ts";

readCommandLine({ usage: "node bench/src/micro/queues.ts\nWhat queues of bytes cost." });

const FRAME_BYTES = 16 * 1024;
const chunk = Buffer.allocUnsafeSlow(64 * 1024);
const small = Buffer.allocUnsafeSlow(100);
let sum = 0;

/** What a stream's output is cut into, from an array. */
function framesOf(queue: Buffer[]): void {
  while (queue.length > 0) {
    const first = queue[0]!;
    const size = Math.min(first.length, FRAME_BYTES);
    if (size === first.length) queue.shift();
    else queue[0] = first.subarray(size);
    sum += (size === first.length ? first : first.subarray(0, size)).length;
  }
}

function framesOfChain(queue: ByteChain): void {
  while (queue.length > 0) sum += queue.shift(FRAME_BYTES).length;
}

function times(n: number, run: () => void): void {
  for (let i = 0; i < n; i++) run();
}

const cases: readonly (readonly [string, number, () => void, () => void])[] = [
  [
    "a queue that stays empty",
    5e6,
    () => void (sum += ([] as Buffer[]).length),
    () => void (sum += new ByteChain().length),
  ],
  [
    "64 KiB in, frames of 16 KiB out",
    5e5,
    () => {
      const queue: Buffer[] = [];
      queue.push(chunk);
      framesOf(queue);
    },
    () => {
      const queue = new ByteChain();
      queue.add(chunk);
      framesOfChain(queue);
    },
  ],
  [
    "one chunk of 100 bytes in and out",
    2e6,
    () => {
      const queue: Buffer[] = [];
      queue.push(small);
      framesOf(queue);
    },
    () => {
      const queue = new ByteChain();
      queue.addReference(small);
      framesOfChain(queue);
    },
  ],
  [
    "1,000 chunks of 100 bytes in, frames out (a frame a chunk; a frame for 160)",
    1000,
    () => {
      const queue: Buffer[] = [];
      for (let i = 0; i < 1000; i++) queue.push(small);
      framesOf(queue);
    },
    () => {
      const queue = new ByteChain();
      for (let i = 0; i < 1000; i++) queue.add(small);
      framesOfChain(queue);
    },
  ],
];
for (const [what, operations, ofArray, ofChain] of cases) {
  report(
    `array: ${what}`,
    cpuNsOf(operations, (n) => times(n, ofArray)),
  );
  report(
    `chain: ${what}`,
    cpuNsOf(operations, (n) => times(n, ofChain)),
  );
}
if (sum === 0) throw new Error("nothing was done");
