import { declareErrors } from "@fairlead/errors";

export const compileErrors = declareErrors("compile", {
  FL_POLICY_DESTINATION_UNKNOWN: {
    httpStatus: 409,
    meaning:
      "A route of a VirtualService leads to a service that nobody has registered, or to a subset that no DestinationRule names. What the VirtualService said when it last could be used stays in force. One that was in force and has lost its destination gives 503 to the calls that it sends there; they go nowhere else. One that never was in force takes no calls.",
    action:
      "Register the service or apply the DestinationRule, or correct the host or subset at the file and line that is given. Nothing needs to be applied again: it is compiled at the next change.",
  },
  FL_POLICY_CONFLICT: {
    httpStatus: 409,
    meaning:
      "Two policies say something of the same thing: a port of a host, a traffic policy, a subset, the routes after those that take all calls, a port of a gateway. The first by namespace and name counts; the rest of the other one is in force.",
    action: "Put both into one object, or take what is not in force out of the one that is named.",
  },
  FL_POLICY_UNSUPPORTED: {
    httpStatus: 409,
    meaning:
      "A policy asks for what cannot be done for the service that it meets. It is left out, and what it said when it last could be used stays in force.",
    action: "Change the field that the message names; docs/reference/policies.md says what it is for.",
  },
  FL_POLICY_TOO_LARGE: {
    httpStatus: 409,
    meaning:
      "The routes of a host, of a gateway or of the whole mesh would take more than a compile may make. The VirtualService is one of the largest among them; its calls get 503.",
    action:
      "Use fewer matches or hosts, or a wildcard over fewer names (docs/reference/policies.md#limits). The others are not affected.",
  },
  FL_SERVICE_NAME_TAKEN: {
    httpStatus: 409,
    meaning:
      "Two services' interfaces differ in upper and lower case only. Host names have no case, so only the first of them can be called by name.",
    action: "Rename one of them.",
  },
  FL_COMPILE_INVALID: {
    httpStatus: 500,
    meaning:
      "A proxy would refuse what an object was compiled to, and with it all that comes in the same message. It was not sent; what there was before stays.",
    action:
      "Change the object that is named, at the file and line that is given. It passed the checks at its apply, so please report it with the message, too.",
  },
  FL_COMPILE_FAILED: {
    httpStatus: 500,
    meaning: "An object could not be compiled for a reason that was not foreseen. The others are not affected.",
    action: "Please report it with the message and the object. Deleting or changing the object clears it.",
  },
});
