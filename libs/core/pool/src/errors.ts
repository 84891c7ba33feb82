import { declareErrors } from "@fairlead/errors";

export const poolErrors = declareErrors("pool", {
  FL_POOL_EXHAUSTED: {
    httpStatus: 503,
    meaning: "As many of some object are in use as may be at one time.",
    action: "The message has the pool and its limit. Send less at one time, or raise the limit.",
  },
});
