import { writeFileSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

export interface WatchdogData {
  /** A count of inputs, the length of the one that runs, and its bytes. */
  readonly shared: SharedArrayBuffer;
  readonly limitMs: number;
  readonly file: string;
}

const { shared, limitMs, file } = workerData as WatchdogData;
const turn = new Int32Array(shared, 0, 2);
let seen = 0;
let since = performance.now();

setInterval(() => {
  const now = Atomics.load(turn, 0);
  if (now !== seen) {
    seen = now;
    since = performance.now();
    return;
  }
  if (performance.now() - since < limitMs) return;
  const length = Atomics.load(turn, 1);
  writeFileSync(file, Buffer.from(new Uint8Array(shared, 8, length)));
  writeSync(2, `an input runs for more than ${limitMs} ms: ${file}\n`);
  process.kill(process.pid, "SIGKILL");
}, 500);
