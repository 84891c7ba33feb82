export { ExactTimer } from "./exact-timer.ts";
export { TimerWheel, type TimerWheelOptions } from "./timer-wheel.ts";
export type { Expiring, WheelTimer } from "./wheel-timer.ts";
