export { type SlotKey, slotKey, type TaskKey, taskKey } from "./keys.ts";
export type { SlotPort } from "./messages.ts";
export { SlotControl, type WorkerLink } from "./slot-control.ts";
export { SlotWorker, type SlotOptions, type WorkerSlot } from "./slot-worker.ts";
