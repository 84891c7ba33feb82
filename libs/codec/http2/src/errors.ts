import { declareErrors } from "@fairlead/errors";

export const http2Errors = declareErrors("codec-http2", {
  FL_HTTP2_MALFORMED: {
    httpStatus: 400,
    meaning: "A peer broke a rule of HTTP/2 (RFC 9113) that its connection does not survive.",
    action: "The message names the rule. Fix the peer; it has got a GOAWAY with the error code.",
  },
  FL_HTTP2_FLOOD: {
    httpStatus: 429,
    meaning: "A peer sent more frames of a kind than any use of HTTP/2 needs: an attack, or a defect.",
    action:
      "The message and the counters http2.* name the kind. Find the client by its address in the log; nothing else is affected.",
  },
});
