export { CpuSteering, type CpuSteeringOptions } from "./cpu-steering.ts";
export { SteadyLoad, type SteadyLoadOptions } from "./steady-load.ts";
export type { LoadTarget } from "./load-client.ts";
