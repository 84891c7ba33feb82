import { badPolicy } from "./bad-policy.ts";
import type { Check } from "./check.ts";
import { controlPlaneRestart } from "./control-plane-restart.ts";
import { boltCall, dubboCall } from "./rpc-call.ts";
import { register } from "./register.ts";
import { secondInstance } from "./second-instance.ts";
import { twoSidecars } from "./two-sidecars.ts";
import { weightedRoute } from "./weighted-route.ts";
import { withdrawUnderLoad } from "./withdraw-under-load.ts";

/** In the order in which they run: later ones need what earlier ones started. */
export const checks: readonly Check[] = [
  register,
  twoSidecars,
  dubboCall,
  boltCall,
  secondInstance,
  weightedRoute,
  withdrawUnderLoad,
  controlPlaneRestart,
  badPolicy,
];
