import { declareErrors } from "@fairlead/errors";

export const hotRestartErrors = declareErrors("hot restart", {
  FL_EPOCH_FAILED: {
    httpStatus: 500,
    meaning: "The process that was to serve ended while it started.",
    action: "Its own lines in the log, before this one, say why; mostly an address that is taken or a wrong setting.",
  },
});
