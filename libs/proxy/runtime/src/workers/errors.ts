import { declareErrors } from "@fairlead/errors";

export const workerErrors = declareErrors("proxy-workers", {
  FL_WORKERS_FAIL: {
    httpStatus: 500,
    meaning: "Worker threads of the proxy have ended again and again within a minute; the process ends.",
    action: "The message has the last failure. Please report it; FAIRLEAD_CONCURRENCY=1 serves without worker threads.",
  },
  FL_THREAD_STUCK: {
    httpStatus: 500,
    meaning:
      "A thread of the proxy did not come to its event loop for FAIRLEAD_WATCHDOG_KILL_TIMEOUT; the process aborts, so that it is started again.",
    action:
      "Please report it, with what the node was doing. A time-out that a large configuration can exceed is too short.",
  },
});
