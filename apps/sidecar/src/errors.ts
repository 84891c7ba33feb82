import { declareErrors } from "@fairlead/errors";

export const sidecarErrors = declareErrors("sidecar", {
  FL_SIDECAR_STOPPING: {
    httpStatus: 503,
    meaning: "The sidecar is withdrawing what it has published and takes no more registrations.",
    action: "Publish through the sidecar that follows it.",
  },
  FL_SUPERSEDED: {
    httpStatus: 409,
    meaning: "A later call about the same publication took the place of this one while it waited.",
    action: "Nothing, if the later call is what you want. GET /v1/registrations shows the state.",
  },
  FL_TOO_MANY_REGISTRATIONS: {
    httpStatus: 429,
    meaning: "The sidecar holds as many registrations as it may.",
    action:
      "Withdraw what is not used any more (GET /v1/registrations lists all). An application rarely has more than a few dozen.",
  },
});
