export { freePort } from "./free-port.ts";
export { listen } from "./listen.ts";
export { portOf } from "./port-of.ts";
export { until } from "./until.ts";
