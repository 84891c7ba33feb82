import { declareErrors } from "@fairlead/errors";

export const hpackErrors = declareErrors("codec-hpack", {
  FL_HPACK_MALFORMED: {
    httpStatus: 400,
    meaning: "A header block is not HPACK as RFC 7541 has it: the two ends have different tables from there on.",
    action:
      "The message names the rule. Fix the sender; the connection is closed because no further header can be read.",
  },
});
