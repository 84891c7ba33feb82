import { declareErrors } from "@fairlead/errors";

export const streamErrors = declareErrors("proxy-stream", {
  FL_PROTOCOL_UNKNOWN: {
    httpStatus: 500,
    meaning: "The proxy was asked to speak a protocol that has no stream factory.",
    action: "Name one of the protocols in the message, or register the protocol's factory before the proxy starts.",
  },
});
