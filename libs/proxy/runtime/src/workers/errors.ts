import { declareErrors } from "@fairlead/errors";

export const workerErrors = declareErrors("proxy-workers", {
  FL_WORKERS_FAIL: {
    httpStatus: 500,
    meaning: "Worker threads of the proxy have ended again and again within a minute; the process ends.",
    action: "The message has the last failure. Please report it; FAIRLEAD_CONCURRENCY=1 serves without worker threads.",
  },
});
