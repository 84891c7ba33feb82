/** What a worker thread runs. Messages wait in its port until it listens. */
import { parentPort, workerData } from "node:worker_threads";
import { SlotWorker } from "@fairlead/slot";
import type { WorkerStart } from "./messages.ts";
import { WorkerRuntime } from "./worker-runtime.ts";

if (parentPort === null) throw new Error("this module is for a worker thread");
const start = workerData as WorkerStart;
for (const module of start.modules) await import(module);
const worker = new SlotWorker();
// oxlint-disable-next-line no-new -- it lives in the handlers of the worker
new WorkerRuntime(start, worker);
worker.listen(parentPort);
