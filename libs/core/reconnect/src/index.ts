export { BackOff, type BackOffOptions } from "./back-off.ts";
export { ServerRounds, type ServerRoundsOptions } from "./server-rounds.ts";
export { Turns } from "./turns.ts";
