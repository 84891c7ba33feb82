import { declareErrors } from "@fairlead/errors";

export const hessianErrors = declareErrors("codec-hessian", {
  FL_HESSIAN_MALFORMED: {
    httpStatus: 400,
    meaning: "Bytes of an RPC body are not Hessian 2.0, or not SOFA's draft of it, as their frame says that they are.",
    action:
      "The message names the byte and where it stands. Look at the serialization that both sides of the call are configured with.",
  },
  FL_HESSIAN_TOO_DEEP: {
    httpStatus: 400,
    meaning: "An RPC body nests lists, maps and objects deeper than the limit.",
    action: "Send flatter arguments. The limit is 4096 levels; a Java peer would have ended with a StackOverflowError.",
  },
});
