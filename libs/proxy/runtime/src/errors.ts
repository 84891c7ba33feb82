import { declareErrors } from "@fairlead/errors";

export const runtimeErrors = declareErrors("proxy-runtime", {
  FL_XDS_REJECTED: {
    httpStatus: 400,
    meaning: "The proxy does not apply a resource; the last good version of it stays in force.",
    action:
      "The message names the field and what the proxy would take. Change the policy or the service that it comes from.",
  },
});
