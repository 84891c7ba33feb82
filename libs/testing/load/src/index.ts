export { SteadyLoad, type SteadyLoadOptions } from "./steady-load.ts";
export type { LoadTarget } from "./load-client.ts";
