import { declareErrors } from "@fairlead/errors";

export const storeErrors = declareErrors("store", {
  FL_STORE_UNAVAILABLE: {
    httpStatus: 503,
    meaning:
      "PostgreSQL does not answer. Nothing was changed, or it is not known whether it was: the operation may be repeated as it is.",
    action:
      "Repeat it; traffic goes on meanwhile. If it stays: check that PostgreSQL runs and that FAIRLEAD_DATABASE_URL reaches it.",
  },
  FL_STORE_URL_INVALID: {
    httpStatus: 500,
    meaning: "FAIRLEAD_DATABASE_URL is not the URL of a PostgreSQL database.",
    action:
      "Write it as postgres://user:password@host:5432/database; characters such as @ and / in a password are percent-encoded.",
  },
  FL_INTERFACE_TAKEN: {
    httpStatus: 409,
    meaning:
      "A service is there whose interface differs from the given one in upper and lower case only. Host names have no case, so one of them would get the calls of the other. Nothing was changed.",
    action:
      "Use the interface as the message names it, or another one. A service that nobody uses any more gives its name back after the retention of services (docs/reference/config.md).",
  },
});
