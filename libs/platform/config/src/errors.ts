import { declareErrors } from "@fairlead/errors";

export const configErrors = declareErrors("config", {
  FL_CONFIG_INVALID: {
    httpStatus: 500,
    meaning: "A setting in the environment is missing or has a value that it may not have. The process exits with 64.",
    action: "The message lists each variable with what is wrong; docs/reference/config.md lists all of them.",
  },
});
