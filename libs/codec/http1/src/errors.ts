import { declareErrors } from "@fairlead/errors";

export const http1Errors = declareErrors("codec-http1", {
  FL_HTTP1_MALFORMED: {
    httpStatus: 400,
    meaning:
      "Bytes on a connection are not HTTP/1.1 as RFC 9112 has it, or are ambiguous in a way that request smuggling uses.",
    action:
      "`details` and the message name the rule. Fix the sender; the connection is closed because its framing is lost.",
  },
  FL_HTTP1_TOO_LARGE: {
    httpStatus: 431,
    meaning: "A message's head has more bytes or more headers than the limit.",
    action:
      "Send less, mostly fewer or shorter cookies. The limits are 60 KiB and 100 headers unless the listener says otherwise.",
  },
});
