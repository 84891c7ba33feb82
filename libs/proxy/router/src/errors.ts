import { declareErrors } from "@fairlead/errors";

export const routerErrors = declareErrors("proxy-router", {
  FL_ROUTE_INVALID: {
    httpStatus: 400,
    meaning: "A route configuration cannot be used as it is; the one before stays in force.",
    action: "The message names the virtual host or route, and what is wrong with it.",
  },
});
