import { declareErrors } from "@fairlead/errors";

/** What both the sidecar and registry-sync answer with. */
export const registrationErrors = declareErrors("registration", {
  FL_NOT_CONVERGED: {
    httpStatus: 504,
    meaning: "The change is stored, but not every proxy that it concerns had it within the time-out.",
    action:
      "The message says what is missing. Repeat the call with a longer `timeout`, or look at the missing proxies (docs/guides/when-a-change-does-not-arrive.md).",
  },
});
