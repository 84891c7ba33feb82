import { declareErrors } from "@fairlead/errors";

export const busErrors = declareErrors("bus", {
  FL_BUS_UNAVAILABLE: {
    httpStatus: 503,
    meaning: "The bus (NATS) could not be reached, or did not answer in time.",
    action:
      "Nothing is lost: the change is in the store and is announced once the bus is back. Check NATS and FAIRLEAD_NATS_URL.",
  },
  FL_BUS_CLOSED: {
    httpStatus: 503,
    meaning: "The bus was used after it was closed: the process is stopping.",
    action: "Try again; another replica will answer.",
  },
  FL_BUS_CONFLICT: {
    httpStatus: 409,
    meaning: "Somebody else has written into a bucket that has one writer at a time.",
    action:
      "Nothing is lost: the writer reads the bucket anew and writes what is missing. If it is there again and again, look for a process that writes into the bucket beside the active config-compiler.",
  },
  FL_BUS_MESSAGE_TOO_LARGE: {
    httpStatus: 413,
    meaning: "A message or value is larger than the bus takes.",
    action:
      "Raise max_payload of nats-server, or make the object smaller: fewer subscriptions a node, smaller policies.",
  },
  FL_BUS_NAME_INVALID: {
    httpStatus: 500,
    meaning: "A subject, bucket or key has characters that the bus does not take, or is too long.",
    action: "It is a defect of the caller. Please report it with the log line.",
  },
});
