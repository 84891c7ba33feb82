// For tests of adapters.
export { describeBusContract } from "./bus-contract.ts";
export { type BusHarness, eventually, freshName, rejectsWith } from "./bus-harness.ts";
export { RecordingWatch } from "./key-value-contract.ts";
