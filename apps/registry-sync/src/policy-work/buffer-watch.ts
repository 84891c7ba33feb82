import type { Worker } from "node:worker_threads";

const lookEveryMs = 100;

/**
 * Calls `onFull` once a thread holds more than `maxBytes` in buffers: these are not on its heap, so `resourceLimits` do not count them, and
 * encoded configuration is made of them.
 *
 * @returns ends it
 */
export function watchBuffers(thread: Worker, maxBytes: number, onFull: () => void): () => void {
  let asking = false;
  const timer = setInterval(() => {
    // The answer comes from the thread, between two of its own steps, also while it computes.
    if (asking) return;
    asking = true;
    thread.getHeapStatistics().then(
      ({ external_memory: bytes }) => {
        asking = false;
        if (bytes > maxBytes) onFull();
      },
      // It has ended.
      () => clearInterval(timer),
    );
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
