// What adapters of the bus share; consumers of the bus use index.ts.
export { busError, conflict } from "./bus-error.ts";
export { checkBucket, checkKey, checkSize, checkSubject, defaultMaxBytes } from "./limits.ts";
export { notifyState } from "./notify-state.ts";
export { defaultRedeliveryPausesMs, deliver, type RedeliveryOptions, settledWithin } from "./redelivery.ts";
