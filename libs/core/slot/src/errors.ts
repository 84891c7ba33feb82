import { declareErrors } from "@fairlead/errors";

export const slotErrors = declareErrors("slot", {
  FL_SLOT_NOT_BUILT: {
    httpStatus: 500,
    meaning:
      "A worker could not take over configuration that the control thread has taken; it goes on with what it had.",
    action:
      "The message has the workers and what each has said. It is a defect: please report it. A restart makes the workers equal again.",
  },
  FL_WORKER_TASK_FAILED: {
    httpStatus: 500,
    meaning: "Something that all workers were asked to do has failed in at least one of them.",
    action: "The message has the workers and what each has said. Please report it.",
  },
});
