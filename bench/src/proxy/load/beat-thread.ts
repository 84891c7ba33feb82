import { parentPort, workerData } from "node:worker_threads";

/** Ends no wait but by its time. */
const never = new Int32Array(new SharedArrayBuffer(4));
const everyMs = workerData as number;
const started = performance.now();

function say(beat: number): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
  parentPort?.postMessage(beat);
}

for (let beat = 1; ; beat += 1) {
  Atomics.wait(never, 0, 0, Math.max(0, started + beat * everyMs - performance.now()));
  say(beat);
}
