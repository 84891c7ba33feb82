export { type SlotKey, slotKey, type TaskKey, taskKey } from "./keys.ts";
export type { Answer, SlotPort } from "./messages.ts";
export { type Patience, SlotControl, type WorkerLink } from "./slot-control.ts";
export { SlotWorker, type SlotOptions, type WorkerSlot } from "./slot-worker.ts";
