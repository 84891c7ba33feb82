import { declareErrors } from "@fairlead/errors";

export const compileErrors = declareErrors("compile", {
  FL_POLICY_DESTINATION_UNKNOWN: {
    httpStatus: 409,
    meaning:
      "A route of a VirtualService leads to a service that nobody has registered, or to a subset that no DestinationRule names. The whole VirtualService is left out; its hosts keep the routes that they have without it.",
    action:
      "Register the service or apply the DestinationRule, or correct the host or subset at the file and line that is given. Nothing needs to be applied again: it is compiled at the next change.",
  },
  FL_COMPILE_FAILED: {
    httpStatus: 500,
    meaning: "An object could not be compiled for a reason that was not foreseen. The others are not affected.",
    action: "Please report it with the message and the object. Deleting or changing the object clears it.",
  },
});
