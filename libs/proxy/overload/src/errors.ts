import { declareErrors } from "@fairlead/errors";

export const overloadErrors = declareErrors("proxy-overload", {
  FL_OVERLOAD_ACTIONS_INVALID: {
    httpStatus: 400,
    meaning: "What a proxy is to do when it is overloaded cannot be read.",
    action:
      "Write <action>=<resource>:<share> or <action>=<resource>:<from>-<to>, separated by blanks, as in stop_accepting_requests=memory:0.95. The message has the part that is wrong.",
  },
});
