import { declareErrors } from "@fairlead/errors";

export const registryClientErrors = declareErrors("registry-client", {
  FL_REGISTRY_UNAVAILABLE: {
    httpStatus: 503,
    meaning:
      "The proxy could not reach registry-sync, so the call was not stored. What was stored before is kept and renewed.",
    action:
      "Repeat the call. The message names each registry-sync that was tried; check FAIRLEAD_REGISTRY_URL and that one of them runs.",
  },
});
