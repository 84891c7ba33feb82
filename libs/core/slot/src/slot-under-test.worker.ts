/** A worker thread for slot.int.test.ts. */
import { parentPort, threadId } from "node:worker_threads";
import { SlotWorker } from "./slot-worker.ts";
import { greeting, hosts, slow } from "./slot-under-test.ts";

const worker = new SlotWorker();
const slot = worker.open(hosts, {
  initial: new Map<string, number>(),
  build(payload) {
    if (payload.length === 0) throw new Error("no hosts");
    return new Map(payload);
  },
});
worker.handle(greeting, (name) => `${name}: version ${slot.version}, ${[...slot.value.keys()].join(" ")}`);
worker.handle(slow, () => new Promise((resolve) => setImmediate(() => resolve(threadId))));
worker.listen(parentPort!);
